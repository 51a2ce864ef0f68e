#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/scheduling/worker_link.h"
#include "coordinator/service/open_streams.h"
#include "heroq/v1/worker_service.pb.h"

namespace heroq {

// The stream of one connected worker. Reads follow one another; writes are queued, one in flight. The first
// message must be the hello. The end of the stream, from whichever side, ends the session; only a server that
// shuts down keeps quiet about it, so that the leases are voided by the next epoch and nobody is charged.
// Thread-safe.
class SessionReactor final : public grpc::ServerBidiReactor<v1::SessionRequest, v1::SessionResponse>,
                             public WorkerLink,
                             public OpenStream,
                             public std::enable_shared_from_this<SessionReactor> {
 public:
  // The reactor keeps itself alive until gRPC is done with it; `leases` and `streams` outlive it.
  static SessionReactor* Start(LeaseManager& leases, OpenStreams& streams);

  void Send(v1::SessionResponse message) override;
  void Close(const absl::Status& status) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  SessionReactor(LeaseManager& leases, OpenStreams& streams) : leases_(leases), streams_(streams) {}

  absl::Status HandleMessage();
  // Drops what waits and finishes, after the write in flight.
  void FinishLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteNextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  LeaseManager& leases_;
  OpenStreams& streams_;
  // Touched by one read after another only.
  v1::SessionRequest request_;
  std::optional<LeaseManager::SessionId> session_;

  absl::Mutex mutex_;
  std::shared_ptr<SessionReactor> self_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::SessionResponse> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::SessionResponse in_flight_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool server_closes_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status final_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
