#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace heroq {

// "quantizationJobs/{id}" <-> id. INVALID_SPEC names what is wrong.
absl::StatusOr<std::string> JobIdOf(const std::string& name);
std::string JobNameOf(const std::string& job_id);
// INVALID_SPEC unless 1 to 63 lower-case letters, digits and hyphens, neither first nor last a hyphen.
absl::Status CheckJobId(const std::string& job_id);

}  // namespace heroq
