#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"

namespace heroq {

struct WorkerOptions {
  // The coordinator, "unix:PATH" or "HOST:PORT".
  std::string server;
  // "cpu" or "cuda:N".
  std::string device = "cpu";
  // Tasks at once; each has its own executor.
  int slots = 1;
  // Stable over the worker's life and unique at the coordinator; empty: host name and process id.
  std::string worker_id;
  std::string version;
};

// A whole worker: opens its device, then keeps a session to the coordinator and runs what it leases. Start,
// Drain and the destructor belong to one thread.
class WorkerServer {
 public:
  // INVALID_SPEC for a malformed option, DEVICE_UNAVAILABLE; the coordinator need not be there yet.
  // `on_drain_request` is called when the coordinator asks the worker to leave and must not block. References
  // outlive the server.
  static absl::StatusOr<std::unique_ptr<WorkerServer>> Start(const WorkerOptions& options, FileSystem& files,
                                                             Clock& clock,
                                                             std::function<void()> on_drain_request);
  // Stops without finishing.
  ~WorkerServer();
  WorkerServer(const WorkerServer&) = delete;
  WorkerServer& operator=(const WorkerServer&) = delete;

  // Finishes what runs, or gives it back after `timeout`; takes nothing new. Blocking.
  void Drain(absl::Duration timeout);

 private:
  class Impl;
  explicit WorkerServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace heroq
