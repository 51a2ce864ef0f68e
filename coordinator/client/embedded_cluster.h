#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/client/child_process.h"
#include "coordinator/client/cli_context.h"
#include "coordinator/client/progress_renderer.h"
#include "coordinator/client/quantization_client.h"
#include "coordinator/client/ui_event.h"

namespace heroq {

struct EmbeddedOptions {
  std::string directory;         // state/, blobs/ and log/ go here
  std::string socket_directory;  // short: the kernel takes 107 bytes for a socket's path
  int workers = 0;
  std::string device = "cpu";
  int64_t worker_memory_bytes = 0;  // of each worker; 0: no limit
  bool keep_state = false;
};

// A coordinator and its workers as child processes that talk over a Unix socket and end with this process,
// however it ends. Workers that die are started again, each at most kMaxRestarts times. Used by one thread,
// the one that made it: the children are tied to it.
class EmbeddedCluster {
 public:
  static constexpr int kMaxRestarts = 5;

  // Starts the processes and waits until the coordinator answers. Blocks; CANCELLED when an InterruptEvent
  // arrives first. FAILED_TO_START with the last lines of the log. References outlive it.
  static absl::StatusOr<std::unique_ptr<EmbeddedCluster>> Start(const CliContext& context,
                                                                EmbeddedOptions options, UiEventQueue& events,
                                                                ProgressRenderer& progress);
  // Stop, if it was not called.
  ~EmbeddedCluster();
  EmbeddedCluster(const EmbeddedCluster&) = delete;
  EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;

  // To call after a ChildExitEvent. An error when the cluster cannot go on: the coordinator or the last
  // worker is gone.
  absl::Status ReapChildren();

  // Nothing is asked of the coordinator any more, which waits for idle connections when it stops.
  void Disconnect() { client_.reset(); }
  // Asks every process to end, workers first; kills what is left after 4.5 s or at a second InterruptEvent,
  // and waits for all.
  void Stop();

  QuantizationClient& client() { return *client_; }

 private:
  struct Worker {
    int number = 0;  // from 1
    int restarts = 0;
    bool given_up = false;
    std::unique_ptr<ChildProcess> process;
  };

  EmbeddedCluster(const CliContext& context, EmbeddedOptions options, UiEventQueue& events,
                  ProgressRenderer& progress);
  absl::Status StartCoordinator();
  absl::Status StartWorker(Worker& worker);
  absl::Status AwaitCoordinator();
  absl::Status ReapWorker(Worker& worker, const ChildExit& end);
  absl::Status Failure(absl::string_view problem, const std::string& log_name) const;
  void SignalWorkers(int signal) const;
  std::vector<ChildProcess*> Running();
  std::string LogPath(const std::string& name) const;
  std::string SocketPath() const;

  const CliContext& context_;
  const EmbeddedOptions options_;
  UiEventQueue& events_;
  ProgressRenderer& progress_;
  std::unique_ptr<ChildProcess> coordinator_;
  std::vector<Worker> workers_;
  std::unique_ptr<QuantizationClient> client_;
};

}  // namespace heroq
