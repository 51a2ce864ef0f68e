#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/time/clock.h"
#include "common/time/periodic_task.h"
#include "heroq/v1/worker_service.grpc.pb.h"
#include "worker/agent/acknowledgement_monitor.h"

namespace heroq {

// What a session hands to its worker, on the thread that runs the session unless said otherwise.
class WorkerSessionHandler {
 public:
  virtual ~WorkerSessionHandler() = default;
  virtual void OnWelcome(const v1::SessionWelcome& welcome) = 0;
  virtual void OnLease(const v1::Lease& lease) = 0;
  virtual void OnCancel(const v1::LeaseToken& token) = 0;
  virtual void OnDrain() = 0;
  // The coordinator has been silent for too long: nothing of this session may be published any more. On a
  // thread of its own; the session then ends.
  virtual void OnFenced() = 0;
  // On a thread of its own.
  virtual v1::WorkerHeartbeat MakeHeartbeat() = 0;
};

// One stream to the coordinator: hello, then heartbeats at the server's pace while messages are read.
// Thread-safe.
class WorkerSession {
 public:
  // References outlive the session.
  WorkerSession(v1::WorkerService::Stub& stub, Clock& clock, WorkerSessionHandler& handler)
      : stub_(stub), clock_(clock), handler_(handler) {}

  // What happens while no coordinator can be reached.
  enum class Unreachable {
    kFail,  // UNAVAILABLE
    kWait,  // until there is one, or Cancel
  };

  // Blocks until the stream ends, from whichever side. Call it once.
  absl::Status Run(const v1::WorkerHello& hello, Unreachable unreachable);
  // Tells the coordinator that no more leases are wanted. Blocks while the connection does not take it.
  void SendDraining();
  // Ends the stream now; Run returns.
  void Cancel() { context_.TryCancel(); }

 private:
  using Stream = grpc::ClientReaderWriter<v1::SessionRequest, v1::SessionResponse>;

  void Send(const v1::SessionRequest& message);
  void HandleWelcome(const v1::SessionWelcome& welcome);
  void HandleMessage(const v1::SessionResponse& message);

  v1::WorkerService::Stub& stub_;
  Clock& clock_;
  WorkerSessionHandler& handler_;
  grpc::ClientContext context_;
  std::optional<AcknowledgementMonitor> monitor_;

  absl::Mutex write_mutex_;
  std::unique_ptr<Stream> stream_ ABSL_PT_GUARDED_BY(write_mutex_);
  // Last: they use everything above.
  std::unique_ptr<PeriodicTask> fence_;
  std::unique_ptr<PeriodicTask> heartbeats_;
};

}  // namespace heroq
