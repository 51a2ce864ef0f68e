#pragma once

#include <string>

#include "absl/status/status.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// An error as the command prints it, without colour, each line ended:
//   heroq: error: <message>
//     --bits (scheme.weight_bits) is 9, expected 2 to 8     (one per field, where the server named them;
//     else) <the remedy of its reason>
std::string FormatError(const absl::Status& status);

// The same for a job that failed.
std::string FormatFailure(const v1::QuantizationJob& job);

}  // namespace heroq
