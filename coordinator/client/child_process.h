#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace heroq {

struct ChildExit {
  bool signalled = false;
  int code = 0;  // exit code, or signal number

  std::string ToString() const;  // "exited with code 3", "was killed by signal 9 (Killed)"
};

// A program started beside this one: own process group, so that Ctrl-C in the terminal reaches only us;
// default signal handling; standard input and output closed to it. Starting one is safe at any time, also
// when gRPC runs: nothing of this process runs between fork and exec. Thread-compatible.
class ChildProcess {
 public:
  // Standard error is appended to `error_file`. FAILED_TO_START names the program.
  static absl::StatusOr<ChildProcess> Start(const std::string& program,
                                            const std::vector<std::string>& arguments,
                                            const std::string& error_file);

  // How it ended, once; nullopt while it runs. Does not block.
  std::optional<ChildExit> Poll();
  // Nothing after the end.
  void Signal(int signal) const;

  pid_t pid() const { return pid_; }
  bool running() const { return running_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  bool running_ = true;
};

}  // namespace heroq
