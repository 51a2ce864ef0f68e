#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/rpc/backoff.h"
#include "common/time/sleeper.h"
#include "heroq/v1/worker_service.grpc.pb.h"
#include "worker/agent/running_lease.h"

namespace heroq {

// Hands results in. Calls are idempotent and are tried again while the lease lives: a lost answer or a
// connection that is down for a moment costs no work. Thread-safe, blocking.
class ResultReporter {
 public:
  // References outlive this.
  ResultReporter(v1::WorkerService::Stub& stub, Sleeper& sleeper, JitterSource jitter, BackoffOptions backoff)
      : stub_(stub), sleeper_(sleeper), jitter_(std::move(jitter)), backoff_(backoff) {}

  // STALE_ATTEMPT when the lease is over; otherwise what the coordinator refuses.
  absl::Status Complete(const RunningLease& lease, const v1::TaskResult& result);
  absl::Status Fail(const RunningLease& lease, v1::FailureKind kind, const std::string& message);
  absl::Status Release(const RunningLease& lease);
  // Once, without trying again: for a lease that was never started, which ends with the session anyway.
  absl::Status Refuse(const v1::LeaseToken& token);

 private:
  absl::Status WhileAlive(const RunningLease& lease,
                          const std::function<absl::Status(grpc::ClientContext&)>& call);

  v1::WorkerService::Stub& stub_;
  Sleeper& sleeper_;
  const JitterSource jitter_;
  const BackoffOptions backoff_;
};

}  // namespace heroq
