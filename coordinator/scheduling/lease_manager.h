#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time/clock.h"
#include "coordinator/scheduling/lease_options.h"
#include "coordinator/scheduling/worker_link.h"
#include "coordinator/state/coordinator_store.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// Connected workers and their leases: grants (by the pure policy), heartbeats, expiry, budgets. Leases and
// attempts are in the journal before the lease is sent, and synced with what follows; deadlines are memory
// only, on the monotonic clock. A lease lives as long as its worker's heartbeats name it; a token that is
// dead is cancelled when a heartbeat names it. Permanent failures, spent budgets and quarantined tasks end
// the job (JobEnded FAILED naming the task). A job without a numeric class of its own is pinned to that of
// its first lease: the class with most registered slots. Thread-safe; never blocks: commits are asynchronous,
// and every change of a lease takes effect when its update is committed.
class LeaseManager {
 public:
  using SessionId = int64_t;
  using Done = std::function<void(const absl::Status&)>;

  // `store` and `clock` are not owned and outlive this. Listens to `store`: newly ready tasks are leased at
  // once.
  LeaseManager(CoordinatorStore& store, Clock& clock, LeaseOptions options);
  ~LeaseManager();

  // Answers with SessionWelcome through `link`, then leases follow. A second session with the same worker_id
  // ends the first one, with its leases. INVALID_SPEC for a hello without id, incarnation, numeric class or
  // slots.
  absl::StatusOr<SessionId> Connect(const v1::WorkerHello& hello, std::shared_ptr<WorkerLink> link);
  void Heartbeat(SessionId session, const v1::WorkerHeartbeat& heartbeat);
  void SetDraining(SessionId session);
  // Revokes the session's leases at once, charged to the loss budget. Unknown sessions are ignored, here and
  // above.
  void Disconnect(SessionId session);

  // `done` gets OK, or STALE_ATTEMPT; repeating a completed call is OK. A result that lacks something its
  // task must hand in is INTERNAL and counts as a reported failure. `done` runs on the caller's or the
  // store's writer thread.
  void Complete(const v1::LeaseToken& token, v1::TaskResult result, Done done);
  void Fail(const v1::LeaseToken& token, v1::FailureKind kind, const std::string& message, Done done);
  void Release(const v1::LeaseToken& token, Done done);
  // STALE_ATTEMPT unless the token's lease lives: guards uploads.
  absl::Status CheckToken(const v1::LeaseToken& token) const;

  // Expires silent leases, retries after backoff, grants. Called every second by the server; tests call it
  // directly.
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
