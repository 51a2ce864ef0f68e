#include <string>
#include <utility>

#include "common/file/failpoint.h"
#include "common/log/log.h"
#include "coordinator/scheduling/attempt_budget.h"
#include "coordinator/scheduling/lease_builder.h"
#include "coordinator/scheduling/lease_manager_impl.h"
#include "coordinator/state/proto_time.h"

namespace heroq {
void LeaseManager::Impl::OnUpdate(const v1::Update& update, const StatePtr& state) {
  absl::MutexLock lock(&mutex_);
  switch (update.change_case()) {
    case v1::Update::kTaskLeased:
      OnLeasedLocked(update.task_leased(), *state);
      return;
    case v1::Update::kTaskCompleted:
      OnCompletedLocked(update.task_completed());
      break;
    case v1::Update::kTaskReturned:
      OnReturnedLocked(update.task_returned(), *state);
      break;
    case v1::Update::kJobCancelRequested:
      DropJobLocked(update.job_cancel_requested().job_id());
      break;
    case v1::Update::kJobEnded:
      DropJobLocked(update.job_ended().job_id());
      break;
    case v1::Update::kJobPlanned:
    case v1::Update::kJobPhaseChanged:
    case v1::Update::kBlobsLost:
      break;
    default:
      return;
  }
  GrantLocked(*state);
}

void LeaseManager::Impl::OnLeasedLocked(const v1::TaskLeased& change, const CoordinatorState& state) {
  LiveLease* lease = leases_.Find(change.lease_id());
  if (lease == nullptr || lease->stage != LiveLease::Stage::kCommitting) return;
  lease->stage = LiveLease::Stage::kLive;
  lease->renewed_at = clock_.Monotonic();
  ConnectedWorker* worker = workers_.Find(lease->session);
  if (worker == nullptr) {
    // The worker left while the lease was written: it never saw it, so nothing is charged.
    ReturnLocked(*lease, v1::TaskReturned::CAUSE_RELEASED, v1::FAILURE_KIND_UNSPECIFIED, "", nullptr);
    return;
  }
  const std::shared_ptr<const JobRecord> job = state.FindJob(change.job_id());
  if (job == nullptr || job->leases.count(change.lease_id()) == 0) return;  // its end is in the same batch
  absl::StatusOr<v1::Task> task = BuildTask(*job, lease->tasks);
  if (!task.ok()) {
    v1::JobFailure failure;
    failure.set_reason("INTERNAL");
    failure.set_message(std::string(task.status().message()));
    failure.set_task_id(lease->task_id);
    CommitJobFailure(change.job_id(), std::move(failure));
    return;
  }
  v1::SessionResponse message;
  v1::Lease& sent = *message.mutable_lease();
  *sent.mutable_token() = lease->token;
  sent.set_attempt(lease->attempt);
  *sent.mutable_task() = *std::move(task);
  *sent.mutable_context() = BuildContext(*job);
  *sent.mutable_time_to_live() = ToProto(options_.time_to_live);
  // A lease that is not sent runs out like one that is lost on the way.
  if (!HEROQ_FAILPOINT_STATUS(lease_before_send).ok()) return;
  worker->link->Send(std::move(message));
  HEROQ_FAILPOINT_STATUS(lease_after_send).IgnoreError();
}

void LeaseManager::Impl::OnCompletedLocked(const v1::TaskCompleted& change) {
  LiveLease* lease = leases_.Find(change.lease_id());
  if (lease == nullptr) return;
  if (ConnectedWorker* worker = workers_.Find(lease->session); worker != nullptr) {
    worker->failures_in_row = 0;
    worker->suspended_until = -absl::InfiniteDuration();
    worker->ended_leases.insert(change.lease_id());
  }
  for (int task : lease->tasks) deaths_.erase({change.job_id(), task});
  leases_.Remove(change.lease_id());
}

void LeaseManager::Impl::OnReturnedLocked(const v1::TaskReturned& change, const CoordinatorState& state) {
  LiveLease* found = leases_.Find(change.lease_id());
  if (found == nullptr) return;
  const LiveLease lease = *found;
  leases_.Remove(change.lease_id());
  Log(LogLevel::kInfo, "lease ended without a result",
      {{"job", change.job_id()},
       {"task", lease.task_id},
       {"attempt", lease.attempt},
       {"worker", lease.worker_id},
       {"cause", v1::TaskReturned::Cause_Name(change.cause())},
       {"message", change.message()}});
  ConnectedWorker* worker = workers_.Find(lease.session);
  const bool by_worker =
      change.cause() == v1::TaskReturned::CAUSE_FAILED || change.cause() == v1::TaskReturned::CAUSE_RELEASED;
  if (worker != nullptr && by_worker) {
    worker->ended_leases.insert(change.lease_id());
    if (change.cause() == v1::TaskReturned::CAUSE_FAILED && SpeaksAgainstWorker(change.failure_kind()) &&
        ++worker->failures_in_row >= options_.suspend_after) {
      worker->suspended_until = clock_.Monotonic() + options_.suspension;
    }
  } else if (worker != nullptr) {
    CancelLocked(lease);
  }
  JudgeLocked(change, lease, state);
}

void LeaseManager::Impl::JudgeLocked(const v1::TaskReturned& change, const LiveLease& lease,
                                     const CoordinatorState& state) {
  const std::shared_ptr<const JobRecord> job = state.FindJob(change.job_id());
  if (job == nullptr || job->state != v1::QuantizationJob::STATE_RUNNING) return;
  for (int task : lease.tasks) {
    const std::string& task_id = job->graph->nodes()[task].id;
    int deaths = 0;
    if (change.cause() == v1::TaskReturned::CAUSE_LOST) {
      std::set<std::string>& lives = deaths_[{change.job_id(), task}];
      lives.insert(LifeOf(lease.worker_id, lease.incarnation));
      deaths = static_cast<int>(lives.size());
    } else {
      deaths_.erase({change.job_id(), task});
    }
    std::optional<v1::JobFailure> failure =
        JudgeAttempts(job->tasks[task], lease.tasks.size() > 1 ? lease.task_id : task_id,
                      change.failure_kind(), change.message(), options_);
    if (!failure.has_value()) failure = JudgeDeaths(deaths, task_id, options_);
    if (failure.has_value()) return CommitJobFailure(change.job_id(), *std::move(failure));
  }
}

void LeaseManager::Impl::DropJobLocked(const std::string& job_id) {
  for (const LiveLease* lease : leases_.OfJob(job_id)) {
    // One that is still being committed is refused by the store, and its `done` removes it.
    if (lease->stage == LiveLease::Stage::kCommitting) continue;
    CancelLocked(*lease);
    leases_.Remove(std::string(lease->token.lease_id()));
  }
  deaths_.erase(deaths_.lower_bound({job_id, 0}), deaths_.lower_bound({job_id + '\0', 0}));
}

void LeaseManager::Impl::CancelLocked(const LiveLease& lease) {
  ConnectedWorker* worker = workers_.Find(lease.session);
  if (worker == nullptr) return;
  v1::SessionResponse message;
  *message.mutable_cancel() = lease.token;
  worker->link->Send(std::move(message));
}

std::string LeaseManager::Impl::LifeOf(const std::string& worker_id, const std::string& incarnation) {
  return worker_id + "/" + incarnation;
}

void LeaseManager::Impl::CommitJobFailure(const std::string& job_id, v1::JobFailure failure) {
  v1::Update update;
  v1::JobEnded& change = *update.mutable_job_ended();
  change.set_job_id(job_id);
  change.set_state(v1::QuantizationJob::STATE_FAILED);
  *change.mutable_failure() = std::move(failure);
  store_.Commit(std::move(update), [job_id](const absl::Status& status) {
    if (!status.ok())
      Log(LogLevel::kInfo, "job had ended before", {{"job", job_id}, {"reason", status.message()}});
  });
}

}  // namespace heroq
