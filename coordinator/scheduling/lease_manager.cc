#include "coordinator/scheduling/lease_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/scheduling/attempt_budget.h"
#include "coordinator/scheduling/lease_manager_impl.h"
#include "coordinator/scheduling/result_check.h"
#include "coordinator/scheduling/retry_delay.h"
#include "coordinator/state/proto_time.h"

namespace heroq {
namespace {

// How often a task of this job has ended with a charge, the end at hand included.
int ChargedEnds(const JobRecord& job, const std::vector<int>& tasks) {
  int ends = 0;
  for (int task : tasks) {
    const TaskRecord& record = job.tasks[task];
    ends = std::max(ends, record.losses + record.failures + record.out_of_memory);
  }
  return ends + 1;
}

}  // namespace

LeaseManager::LeaseManager(CoordinatorStore& store, Clock& clock, LeaseOptions options)
    : impl_(std::make_shared<Impl>(store, clock, std::move(options))) {
  impl_->Start();
}

LeaseManager::~LeaseManager() { impl_->Stop(); }

absl::StatusOr<LeaseManager::SessionId> LeaseManager::Connect(const v1::WorkerHello& hello,
                                                              std::shared_ptr<WorkerLink> link) {
  return impl_->Connect(hello, std::move(link));
}
void LeaseManager::Heartbeat(SessionId session, const v1::WorkerHeartbeat& heartbeat) {
  impl_->Heartbeat(session, heartbeat);
}
void LeaseManager::SetDraining(SessionId session) { impl_->SetDraining(session); }
void LeaseManager::Disconnect(SessionId session) { impl_->Disconnect(session); }
void LeaseManager::Complete(const v1::LeaseToken& token, v1::TaskResult result, Done done) {
  impl_->Complete(token, std::move(result), std::move(done));
}
void LeaseManager::Fail(const v1::LeaseToken& token, v1::FailureKind kind, const std::string& message,
                        Done done) {
  impl_->Fail(token, kind, message, std::move(done));
}
void LeaseManager::Release(const v1::LeaseToken& token, Done done) { impl_->Release(token, std::move(done)); }
absl::Status LeaseManager::CheckToken(const v1::LeaseToken& token) const { return impl_->CheckToken(token); }
void LeaseManager::Tick() { impl_->Tick(); }
std::vector<v1::Worker> LeaseManager::Workers() const { return impl_->Workers(); }
std::vector<v1::RunningTask> LeaseManager::Running(const std::string& job_id) const {
  return impl_->Running(job_id);
}
std::string LeaseManager::WaitingFor(const std::string& job_id) const { return impl_->WaitingFor(job_id); }
void LeaseManager::DrainAll() { impl_->DrainAll(); }

LeaseManager::Impl::Impl(CoordinatorStore& store, Clock& clock, LeaseOptions options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

void LeaseManager::Impl::Start() {
  const StatePtr state = store_.Snapshot();
  {
    absl::MutexLock lock(&mutex_);
    last_counter_ = state->last_fence_counter;
  }
  listener_ = store_.AddListener(
      [this](const v1::Update& update, const StatePtr& after) { OnUpdate(update, after); });
  for (const auto& [job_id, job] : state->jobs) {
    if (job->state != v1::QuantizationJob::STATE_RUNNING) continue;
    for (const auto& [lease_id, lease] : job->leases) {
      v1::Update update;
      v1::TaskReturned& change = *update.mutable_task_returned();
      change.set_job_id(job_id);
      change.set_lease_id(lease_id);
      *change.mutable_fence() = lease.fence;
      change.set_cause(v1::TaskReturned::CAUSE_REVOKED);
      store_.Commit(std::move(update), nullptr);
    }
    // A coordinator may have stopped between the last charge of a task and the end of its job.
    for (size_t task = 0; task < job->tasks.size(); ++task) {
      std::optional<v1::JobFailure> failure = JudgeAttempts(job->tasks[task], job->graph->nodes()[task].id,
                                                            v1::FAILURE_KIND_UNSPECIFIED, "", options_);
      if (job->tasks[task].state == TaskState::kDone || !failure.has_value()) continue;
      CommitJobFailure(job_id, *std::move(failure));
      break;
    }
  }
}

void LeaseManager::Impl::Stop() { store_.RemoveListener(listener_); }

absl::StatusOr<LeaseManager::SessionId> LeaseManager::Impl::Connect(const v1::WorkerHello& hello,
                                                                    std::shared_ptr<WorkerLink> link) {
  HEROQ_RETURN_IF_ERROR(WorkerRegistry::CheckHello(hello));
  absl::MutexLock lock(&mutex_);
  if (const ConnectedWorker* before = workers_.FindByWorkerId(hello.worker_id()); before != nullptr) {
    DisconnectLocked(before->session);
  }
  // An incarnation that comes back has not died.
  const std::string life = LifeOf(hello.worker_id(), hello.incarnation());
  for (auto& [task, lives] : deaths_) lives.erase(life);
  ConnectedWorker& worker = workers_.Add(hello, std::move(link), clock_.Monotonic());
  v1::SessionResponse message;
  v1::SessionWelcome& welcome = *message.mutable_welcome();
  *welcome.mutable_heartbeat_interval() = ToProto(options_.heartbeat_interval);
  *welcome.mutable_time_to_live() = ToProto(options_.time_to_live);
  welcome.set_blob_directory(options_.blob_directory);
  welcome.set_epoch(store_.epoch());
  worker.link->Send(std::move(message));
  const SessionId session = worker.session;
  GrantLocked(*store_.Snapshot());
  return session;
}

void LeaseManager::Impl::Heartbeat(SessionId session, const v1::WorkerHeartbeat& heartbeat) {
  absl::MutexLock lock(&mutex_);
  ConnectedWorker* worker = workers_.Find(session);
  if (worker == nullptr) return;
  worker->last_heard = clock_.Monotonic();
  worker->rss_bytes = heartbeat.rss_bytes();
  std::set<std::string> still_named;
  for (const v1::TaskProgress& progress : heartbeat.running()) {
    const std::string& lease_id = progress.token().lease_id();
    if (worker->ended_leases.count(lease_id) > 0) {
      still_named.insert(lease_id);
    } else if (LiveLease* lease = leases_.FindLive(progress.token());
               lease != nullptr && lease->session == session) {
      lease->renewed_at = worker->last_heard;
      lease->fraction = progress.fraction();
      lease->activity = progress.activity();
    } else {
      v1::SessionResponse message;
      *message.mutable_cancel() = progress.token();
      worker->link->Send(std::move(message));
    }
  }
  worker->ended_leases = std::move(still_named);
  v1::SessionResponse message;
  message.mutable_ack();
  worker->link->Send(std::move(message));
}

void LeaseManager::Impl::SetDraining(SessionId session) {
  absl::MutexLock lock(&mutex_);
  if (ConnectedWorker* worker = workers_.Find(session); worker != nullptr) worker->draining = true;
}

void LeaseManager::Impl::Disconnect(SessionId session) {
  absl::MutexLock lock(&mutex_);
  DisconnectLocked(session);
}

void LeaseManager::Impl::DisconnectLocked(SessionId session) {
  if (workers_.Find(session) == nullptr) return;
  for (LiveLease* lease : leases_.OfSession(session)) {
    if (lease->stage != LiveLease::Stage::kLive) continue;
    ReturnLocked(*lease, v1::TaskReturned::CAUSE_LOST, v1::FAILURE_KIND_UNSPECIFIED,
                 absl::StrCat("worker ", lease->worker_id, " disconnected"), nullptr);
  }
  workers_.Remove(session);
}

void LeaseManager::Impl::ReturnLocked(LiveLease& lease, v1::TaskReturned::Cause cause, v1::FailureKind kind,
                                      const std::string& message, Done done) {
  lease.stage = LiveLease::Stage::kEnding;
  v1::Update update;
  v1::TaskReturned& change = *update.mutable_task_returned();
  change.set_job_id(lease.token.job_id());
  change.set_lease_id(lease.token.lease_id());
  *change.mutable_fence() = lease.token.fence();
  change.set_cause(cause);
  change.set_failure_kind(kind);
  change.set_message(message);
  const std::shared_ptr<const JobRecord> job = store_.Snapshot()->FindJob(lease.token.job_id());
  const bool charged = cause == v1::TaskReturned::CAUSE_LOST || cause == v1::TaskReturned::CAUSE_FAILED;
  if (charged && job != nullptr) {
    *change.mutable_not_before() =
        ToProto(clock_.Now() + RetryDelay(ChargedEnds(*job, lease.tasks), lease.token.lease_id(),
                                          options_.backoff_base, options_.backoff_cap));
  }
  store_.Commit(std::move(update), std::move(done));
}

absl::Status LeaseManager::Impl::StaleError(const v1::LeaseToken& token) const {
  return MakeError(Reason::kStaleAttempt,
                   absl::StrCat("job ", token.job_id(), ": lease ", token.lease_id(), " is over"),
                   {{"job_id", token.job_id()}, {"lease_id", token.lease_id()}});
}

void LeaseManager::Impl::Complete(const v1::LeaseToken& token, v1::TaskResult result, Done done) {
  {
    absl::MutexLock lock(&mutex_);
    LiveLease* lease = leases_.FindLive(token);
    const std::shared_ptr<const JobRecord> job = store_.Snapshot()->FindJob(token.job_id());
    if (lease != nullptr && job != nullptr) {
      const absl::Status checked = CheckResult(*job, lease->tasks, result);
      if (!checked.ok()) {
        return ReturnLocked(
            *lease, v1::TaskReturned::CAUSE_FAILED, v1::FAILURE_KIND_INTERNAL, std::string(checked.message()),
            [checked, done](const absl::Status& committed) { done(committed.ok() ? checked : committed); });
      }
    }
  }
  // Not a live lease: the journal knows whether this result is in already.
  v1::Update update;
  v1::TaskCompleted& change = *update.mutable_task_completed();
  change.set_job_id(token.job_id());
  change.set_lease_id(token.lease_id());
  *change.mutable_fence() = token.fence();
  *change.mutable_result() = std::move(result);
  store_.Commit(std::move(update), std::move(done));
}

void LeaseManager::Impl::Fail(const v1::LeaseToken& token, v1::FailureKind kind, const std::string& message,
                              Done done) {
  {
    absl::MutexLock lock(&mutex_);
    if (LiveLease* lease = leases_.FindLive(token); lease != nullptr) {
      return ReturnLocked(*lease, v1::TaskReturned::CAUSE_FAILED, kind, message, std::move(done));
    }
  }
  done(StaleError(token));
}

void LeaseManager::Impl::Release(const v1::LeaseToken& token, Done done) {
  {
    absl::MutexLock lock(&mutex_);
    if (LiveLease* lease = leases_.FindLive(token); lease != nullptr) {
      return ReturnLocked(*lease, v1::TaskReturned::CAUSE_RELEASED, v1::FAILURE_KIND_UNSPECIFIED, "",
                          std::move(done));
    }
  }
  done(StaleError(token));
}

absl::Status LeaseManager::Impl::CheckToken(const v1::LeaseToken& token) {
  absl::MutexLock lock(&mutex_);
  return leases_.FindLive(token) != nullptr ? absl::OkStatus() : StaleError(token);
}

void LeaseManager::Impl::Tick() {
  absl::MutexLock lock(&mutex_);
  for (LiveLease* lease : leases_.Silent(clock_.Monotonic(), options_.time_to_live)) {
    ReturnLocked(*lease, v1::TaskReturned::CAUSE_LOST, v1::FAILURE_KIND_UNSPECIFIED,
                 absl::StrCat("worker ", lease->worker_id, " was silent about it for more than ",
                              absl::FormatDuration(options_.time_to_live)),
                 nullptr);
  }
  GrantLocked(*store_.Snapshot());
}

std::vector<v1::Worker> LeaseManager::Impl::Workers() {
  absl::MutexLock lock(&mutex_);
  std::vector<v1::Worker> listed;
  for (const auto& [session, connected] : workers_.all()) {
    v1::Worker& worker = listed.emplace_back();
    worker.set_worker_id(connected.hello.worker_id());
    worker.set_numeric_class(connected.hello.numeric_class());
    worker.set_device(connected.hello.device());
    worker.set_cores(connected.hello.cores());
    worker.set_slots(connected.hello.slots());
    // Those ahead wait.
    worker.set_running(std::min(leases_.CountOfSession(session), connected.hello.slots()));
    worker.set_draining(connected.draining);
    worker.set_rss_bytes(connected.rss_bytes);
    worker.set_seconds_since_heartbeat(absl::ToDoubleSeconds(clock_.Monotonic() - connected.last_heard));
  }
  return listed;
}

std::vector<v1::RunningTask> LeaseManager::Impl::Running(const std::string& job_id) {
  absl::MutexLock lock(&mutex_);
  std::vector<v1::RunningTask> running;
  for (const LiveLease* lease : leases_.OfJob(job_id)) {
    if (lease->stage != LiveLease::Stage::kLive) continue;
    v1::RunningTask& task = running.emplace_back();
    task.set_task_id(lease->task_id);
    task.set_worker_id(lease->worker_id);
    task.set_attempt(lease->attempt);
    task.set_fraction(lease->fraction);
    task.set_activity(lease->activity);
  }
  return running;
}

void LeaseManager::Impl::DrainAll() {
  absl::MutexLock lock(&mutex_);
  for (auto& [session, worker] : workers_.all()) {
    worker.draining = true;
    v1::SessionResponse message;
    message.mutable_drain();
    worker.link->Send(std::move(message));
  }
}

}  // namespace heroq
