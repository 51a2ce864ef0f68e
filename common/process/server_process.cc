#include "common/process/server_process.h"

#include <csignal>

#include "common/status/status_macros.h"

namespace heroq {

void ServerProcess::AddFlags(CLI::App& app) {
  app.add_option("--log-file", log_.file, "Append the log to this file instead of standard error");
  app.add_flag("--log-json", log_.json, "Log one JSON object a line");
  app.add_option("--exit-with-parent", parent_,
                 "End with the process of this id, which started this one; SIGINT is left to it")
      ->check(CLI::PositiveNumber);
}

absl::StatusOr<bool> ServerProcess::Begin() {
  if (parent_ != 0 && !ExitWithParent(parent_)) return false;
  signals_.emplace();
  HEROQ_RETURN_IF_ERROR(SetUpLogging(log_));
  return true;
}

void ServerProcess::WaitForEnd() {
  int signal = signals_->Wait();
  while (parent_ != 0 && signal == SIGINT) signal = signals_->Wait();
}

}  // namespace heroq
