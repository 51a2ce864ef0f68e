#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "coordinator/scheduling/lease_builder.h"
#include "coordinator/scheduling/lease_manager_impl.h"

namespace heroq {

PolicyInput LeaseManager::Impl::InputLocked(const CoordinatorState& state) {
  PolicyInput input{state, {}, clock_.Now(), leases_.Committing(), {}};
  const absl::Duration now = clock_.Monotonic();
  for (const auto& [session, worker] : workers_.all()) {
    if (worker.draining || now - worker.last_heard > options_.time_to_live) continue;
    const int used = leases_.CountOfSession(session), slots = worker.hello.slots();
    const bool suspended = now < worker.suspended_until;
    const int ahead = suspended ? 0 : worker.hello.leases_ahead() - std::max(0, used - slots);
    input.workers.push_back({session, worker.hello.worker_id(), worker.hello.numeric_class(), slots,
                             std::max(0, slots - used), suspended, std::max(0, ahead)});
  }
  for (const auto& [job_id, tasks] : input.leasing) {
    for (const LiveLease* lease : leases_.OfJob(job_id)) {
      const ConnectedWorker* worker = workers_.Find(lease->session);
      if (worker != nullptr) input.pinning[job_id] = worker->hello.numeric_class();
    }
  }
  return input;
}

PolicyOptions LeaseManager::Impl::OptionsOfPolicy() const {
  return {options_.capture_ahead_bytes, options_.backoff_cap};
}

void LeaseManager::Impl::GrantLocked(const CoordinatorState& state) {
  for (const LeaseGrant& grant : PlanLeases(InputLocked(state), OptionsOfPolicy())) {
    CommitGrantLocked(*state.jobs.at(grant.job_id), grant);
  }
}

void LeaseManager::Impl::CommitGrantLocked(const JobRecord& job, const LeaseGrant& grant) {
  const ConnectedWorker& worker = *workers_.Find(grant.session);
  LiveLease lease;
  lease.token.set_job_id(grant.job_id);
  lease.token.mutable_fence()->set_epoch(store_.epoch());
  lease.token.mutable_fence()->set_counter(++last_counter_);
  lease.token.set_lease_id(absl::StrCat(store_.epoch(), ".", last_counter_));
  lease.task_id = LeasedTaskId(job, grant.tasks);
  lease.tasks = grant.tasks;
  lease.session = grant.session;
  lease.worker_id = worker.hello.worker_id();
  lease.incarnation = worker.hello.incarnation();

  v1::Update update;
  v1::TaskLeased& change = *update.mutable_task_leased();
  change.set_job_id(grant.job_id);
  change.set_lease_id(lease.token.lease_id());
  *change.mutable_fence() = lease.token.fence();
  change.set_worker_id(lease.worker_id);
  change.set_numeric_class(worker.hello.numeric_class());
  for (int task : grant.tasks) {
    lease.attempt = std::max(lease.attempt, job.tasks[task].attempts + 1);
    change.add_task_ids(job.graph->nodes()[task].id);
  }
  change.set_attempt(lease.attempt);
  leases_.Add(lease);
  store_.Commit(std::move(update), [weak = weak_from_this(),
                                    token = lease.token](const absl::Status& status) {
    const std::shared_ptr<Impl> self = weak.lock();
    if (status.ok() || self == nullptr) return;
    // The state moved on before the commit (the job was cancelled): the next update grants again.
    Log(LogLevel::kDebug, "lease not granted", {{"lease", token.lease_id()}, {"reason", status.message()}});
    absl::MutexLock lock(&self->mutex_);
    self->leases_.Remove(token.lease_id());
  });
}

std::string LeaseManager::Impl::WaitingFor(const std::string& job_id) {
  const StatePtr state = store_.Snapshot();
  const std::shared_ptr<const JobRecord> job = state->FindJob(job_id);
  if (job == nullptr || job->state != v1::QuantizationJob::STATE_RUNNING || !job->leases.empty()) return "";
  absl::MutexLock lock(&mutex_);
  bool ready = false, due = false;
  const PolicyInput input = InputLocked(*state);
  for (int task = 0; task < static_cast<int>(job->tasks.size()); ++task) {
    ready |= job->Ready(task);
    due |= IsDue(*job, task, input.now, OptionsOfPolicy());
  }
  if (!ready) return "";
  if (!due) return "retry after a failed attempt";
  const std::string numeric_class = ClassOf(*job, input);
  if (numeric_class.empty()) return "no workers";
  const bool has_class =
      std::any_of(input.workers.begin(), input.workers.end(),
                  [&](const WorkerSlots& worker) { return worker.numeric_class == numeric_class; });
  if (!has_class) return absl::StrCat("waiting for class ", numeric_class);
  const bool has_slot = std::any_of(
      input.workers.begin(), input.workers.end(),
      [&](const WorkerSlots& worker) { return worker.numeric_class == numeric_class && worker.free > 0; });
  return has_slot ? "" : "waiting for a free worker";
}

}  // namespace heroq
