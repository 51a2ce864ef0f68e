#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/scheduling/lease_table.h"
#include "coordinator/scheduling/policy.h"
#include "coordinator/scheduling/worker_registry.h"

namespace heroq {

// One lock over the workers and leases in memory. Requests only commit updates; the listener
// (lease_events.cc) changes the table when they are durable, so memory follows the journal in its order.
// Locks are taken in the order listener -> mutex_ -> store: the store calls the listener without its own
// lock, and WorkerLink never calls back.
class LeaseManager::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(CoordinatorStore& store, Clock& clock, LeaseOptions options);

  // Listens, and gives back what an earlier LeaseManager on the same store left leased.
  void Start();
  void Stop();

  // The public functions of LeaseManager.
  absl::StatusOr<SessionId> Connect(const v1::WorkerHello& hello, std::shared_ptr<WorkerLink> link);
  void Heartbeat(SessionId session, const v1::WorkerHeartbeat& heartbeat);
  void SetDraining(SessionId session);
  void Disconnect(SessionId session);
  void Complete(const v1::LeaseToken& token, v1::TaskResult result, Done done);
  void Fail(const v1::LeaseToken& token, v1::FailureKind kind, const std::string& message, Done done);
  void Release(const v1::LeaseToken& token, Done done);
  absl::Status CheckToken(const v1::LeaseToken& token);
  void Tick();
  std::vector<v1::Worker> Workers();
  std::vector<v1::RunningTask> Running(const std::string& job_id);
  std::string WaitingFor(const std::string& job_id);
  void DrainAll();

 private:
  using StatePtr = std::shared_ptr<const CoordinatorState>;

  // lease_manager.cc: ends of leases.
  void DisconnectLocked(SessionId session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Commits the end of a live lease; its token is dead from here on.
  void ReturnLocked(LiveLease& lease, v1::TaskReturned::Cause cause, v1::FailureKind kind,
                    const std::string& message, Done done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StaleError(const v1::LeaseToken& token) const;

  // lease_grants.cc
  PolicyInput InputLocked(const CoordinatorState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PolicyOptions OptionsOfPolicy() const;
  void GrantLocked(const CoordinatorState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitGrantLocked(const JobRecord& job, const LeaseGrant& grant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // lease_events.cc: what committed updates mean for workers and leases.
  void OnUpdate(const v1::Update& update, const StatePtr& state);
  void OnLeasedLocked(const v1::TaskLeased& change, const CoordinatorState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnCompletedLocked(const v1::TaskCompleted& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnReturnedLocked(const v1::TaskReturned& change, const CoordinatorState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void JudgeLocked(const v1::TaskReturned& change, const LiveLease& lease, const CoordinatorState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The job's leases are gone: tells their workers.
  void DropJobLocked(const std::string& job_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelLocked(const LiveLease& lease) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One life of a worker, as deaths_ counts them.
  static std::string LifeOf(const std::string& worker_id, const std::string& incarnation);
  void CommitJobFailure(const std::string& job_id, v1::JobFailure failure);

  CoordinatorStore& store_;
  Clock& clock_;
  const LeaseOptions options_;
  int listener_ = 0;

  absl::Mutex mutex_;
  WorkerRegistry workers_ ABSL_GUARDED_BY(mutex_);
  LeaseTable leases_ ABSL_GUARDED_BY(mutex_);
  int64_t last_counter_ ABSL_GUARDED_BY(mutex_) = 0;
  // (job id, task) -> incarnations that were lost on it since it last ended otherwise.
  std::map<std::pair<std::string, int>, std::set<std::string>> deaths_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
