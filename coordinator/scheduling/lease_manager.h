#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/time/clock.h"
#include "coordinator/scheduling/worker_link.h"
#include "coordinator/state/coordinator_store.h"

namespace heroq {

struct LeaseOptions {
  absl::Duration heartbeat_interval = absl::Seconds(5);
  absl::Duration time_to_live = absl::Seconds(20);
  int loss_budget = 20;
  int failure_budget = 5;
  int out_of_memory_budget = 2;
  absl::Duration backoff_base = absl::Seconds(1);
  absl::Duration backoff_cap = absl::Seconds(60);
  // Bytes of statistics and hidden states captures may run ahead of quantization.
  int64_t capture_ahead_bytes = int64_t{2} << 30;
  // Told to workers in SessionWelcome; empty where they share no file system with the coordinator.
  std::string blob_directory;
};

// Connected workers and their leases: grants (by the pure policy), heartbeats, expiry, budgets. Leases and attempts are
// durable (TaskLeased before the lease is sent); deadlines are memory only, on the monotonic clock. Permanent failures and
// spent budgets end the job (JobEnded FAILED naming the task). Thread-safe; never blocks: commits are asynchronous.
class LeaseManager {
 public:
  using SessionId = int64_t;
  using Done = std::function<void(const absl::Status&)>;

  // `store` and `clock` are not owned and outlive this. Listens to `store`: newly ready tasks are leased at once.
  LeaseManager(CoordinatorStore& store, Clock& clock, LeaseOptions options);
  ~LeaseManager();

  // Answers with SessionWelcome through `link`, then leases follow. A second session with the same worker_id and another
  // incarnation ends the first one's leases.
  absl::StatusOr<SessionId> Connect(const v1::WorkerHello& hello, std::shared_ptr<WorkerLink> link);
  void Heartbeat(SessionId session, const v1::WorkerHeartbeat& heartbeat);
  void SetDraining(SessionId session);
  // Revokes the session's leases at once, charged to the loss budget.
  void Disconnect(SessionId session);

  // `done` gets OK, or STALE_ATTEMPT; repeating a completed call is OK.
  void Complete(const v1::LeaseToken& token, v1::TaskResult result, Done done);
  void Fail(const v1::LeaseToken& token, v1::FailureKind kind, const std::string& message, Done done);
  void Release(const v1::LeaseToken& token, Done done);
  // STALE_ATTEMPT unless the token's lease lives: guards uploads.
  absl::Status CheckToken(const v1::LeaseToken& token) const;

  // Expires silent leases, retries after backoff, grants. Called every second by the server; tests call it directly.
  void Tick();

  std::vector<v1::Worker> Workers() const;
  // Progress of a job's live leases as last reported.
  std::vector<v1::RunningTask> Running(const std::string& job_id) const;
  // Why a job with ready tasks gets no lease ("waiting for class X", "no workers"); empty when it does.
  std::string WaitingFor(const std::string& job_id) const;
  // Asks every worker to drain.
  void DrainAll();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace heroq
