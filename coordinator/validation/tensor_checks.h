#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace heroq {

// A dense tensor as float32 values. UNSUPPORTED unless BF16, F16, F32 or F64.
absl::StatusOr<std::vector<float>> ReadFloats(const CheckpointReader::Entry& entry);

// Whether `copy` is `source` converted to its type: the same shape, and every value the nearest one.
absl::StatusOr<bool> SameValues(const CheckpointReader::Entry& copy, const CheckpointReader::Entry& source);

}  // namespace heroq
