#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/planning/planner.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/state/coordinator_store.h"

namespace heroq {

struct CoordinatorOptions {
  // "unix:PATH" or "HOST:PORT", at least one. Plaintext, so only on this machine.
  std::vector<std::string> listen;
  std::string state_directory;
  std::string blob_directory;
  Roots roots;
  // Tell workers the blob directory, for those that share this file system.
  bool share_blob_directory = false;
  // HOST:PORT of /metrics, /livez, /readyz; empty: none.
  std::string admin_listen;
  // Keep the blobs of jobs that have ended.
  bool keep_state = false;
  std::string version;
  // Its blob_directory is set by the server.
  LeaseOptions leases;
};

// A whole coordinator: recovers its state, then listens. Stop and the destructor end sessions and watches
// first, then wait for running calls, then for the job at work. Start, Stop and the destructor belong to one
// thread.
class CoordinatorServer {
 public:
  // Serves when it returns. UNSUPPORTED for an address beyond this machine, UNAVAILABLE for one that is
  // taken, and what recovery says. `files` and `clock` outlive the server.
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Start(CoordinatorOptions options,
                                                                  FileSystem& files, Clock& clock);
  ~CoordinatorServer();
  CoordinatorServer(const CoordinatorServer&) = delete;
  CoordinatorServer& operator=(const CoordinatorServer&) = delete;

  void Stop();

  // Parallel to options.listen, with the ports that were chosen.
  const std::vector<std::string>& addresses() const;
  // 0 without an admin listener.
  int admin_port() const;
  CoordinatorStore& store();
  LeaseManager& leases();

 private:
  class Impl;
  explicit CoordinatorServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heroq
