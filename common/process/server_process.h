#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/concurrency/termination_signal.h"
#include "common/log/log.h"

namespace heroq {

// What a server is apart from what it serves: where it logs, whose child it is and when it ends. One a
// process. Thread-compatible.
class ServerProcess {
 public:
  // --log-file, --log-json and --exit-with-parent. This outlives parsing with `app`.
  void AddFlags(CLI::App& app);

  // With the parsed flags, before there are other threads: ties this process to its parent, blocks the
  // signals that end a server and sets up logging. False when the parent is gone already and nothing is left
  // to do; otherwise what SetUpLogging says.
  absl::StatusOr<bool> Begin();
  // Blocks until the server shall end: SIGTERM, or SIGINT unless there is a parent, which gets it from the
  // same terminal and decides.
  void WaitForEnd();
  // From now on a signal ends the process at once: the second one does not wait.
  void EndAtNextSignal() { signals_.reset(); }

 private:
  LogOptions log_;
  int parent_ = 0;  // its process id; 0: ends with none
  std::optional<TerminationSignal> signals_;
};

}  // namespace heroq
