#pragma once

#include "absl/status/status.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// What the `heroq` command returns to the shell (docs/reference/cli.md).
enum class ExitCode {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kJobFailed = 3,
  kNotAllowed = 4,
  kUnavailable = 5,
  kTimeout = 6,
  kQualityGateFailed = 7,
  kNotChecked = 8,  // a checkpoint in a layout that heroq cannot check
  kInterrupted = 130,
};

// For a command that ended with `status`. A wrong job specification counts as usage, a local I/O error as an
// error although its status code says "try again".
ExitCode ExitCodeOf(const absl::Status& status);

// For a job in a terminal state; kError for any other.
ExitCode ExitCodeOf(const v1::QuantizationJob& job);

}  // namespace heroq
