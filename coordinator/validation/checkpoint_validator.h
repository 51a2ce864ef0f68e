#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "coordinator/validation/source_check.h"
#include "heroq/v1/plan.pb.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// Checks a checkpoint directory, heroq's or another tool's, in any layout StoredQuantization reads: structure
// of every file, every tensor of the architecture present once with the right shape and type, group counts
// and indices, scales finite and positive, codes and zero points in range, index and totals; with `source`,
// copied tensors equal and the weight-space error of quantized linears plausible; with MANIFEST.json, every
// file and tensor and what it repeats of the report. Findings are data (docs/reference/validation.md); an
// error means the check itself could not run (no such directory, unreadable). Blocking; streams
// dense tensors, holds two linears at a time.
absl::StatusOr<v1::ValidateCheckpointResponse> ValidateCheckpoint(FileSystem& files,
                                                                  const std::string& directory,
                                                                  const std::string& source_directory);

// The same on a staged directory against the plan that made it, before MANIFEST.json exists: exactly the
// planned tensors, and per linear the codes, scales and zero points its task stored (`reported` by linear
// name). The source is not read: tasks measured their errors against it, and StagedCheckpoint compares what
// it copied.
absl::StatusOr<v1::ValidateCheckpointResponse> ValidateStaged(
    FileSystem& files, const std::string& directory, const v1::Plan& plan,
    const std::map<std::string, StatedWeight>& reported);

}  // namespace heroq
