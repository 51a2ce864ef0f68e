#pragma once

#include <optional>
#include <string>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/packed_checkpoint.h"
#include "common/model/model_layout.h"
#include "coordinator/validation/validation_findings.h"

namespace heroq {

// Everything a directory says about itself.
struct OpenedCheckpoint {
  ModelLayout layout;
  std::optional<PackedCheckpoint> packed;  // nullopt: dense
  std::unique_ptr<CheckpointReader> reader;
};

// nullopt when config.json or a tensor file cannot be read; why is a finding. An error only for a missing
// directory.
absl::StatusOr<std::optional<OpenedCheckpoint>> OpenCheckpoint(FileSystem& files,
                                                               const std::string& directory,
                                                               ValidationFindings& findings);

// Every tensor of the architecture once with its shape, dense ones finite, packed ones consistent; no tensor
// besides.
void CheckModelTensors(const OpenedCheckpoint& checkpoint, ValidationFindings& findings);

// Copied tensors equal the source's bytes; quantized linears are near the source's weights: a weight error
// above kLargestPlausibleError means other weights, not coarse rounding.
inline constexpr double kLargestPlausibleError = 0.5;
void CheckAgainstSource(const OpenedCheckpoint& checkpoint, const OpenedCheckpoint& source,
                        ValidationFindings& findings);

}  // namespace heroq
