#pragma once

#include "absl/status/status.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/findings.h"

namespace heroq {

// Every rotation that loaders apply is orthogonal: no entry of R^T R - I is above 1e-3, which bfloat16 values
// of R keep. Requires the shapes of CheckStructure. An error when a tensor cannot be read.
absl::Status CheckRotations(const DirectoryModel& model, Findings& findings);

}  // namespace heroq
