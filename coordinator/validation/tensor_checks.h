#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace heroq {

// A dense tensor as float32 values. UNSUPPORTED unless BF16, F16, F32 or F64.
absl::StatusOr<std::vector<float>> ReadFloats(const CheckpointReader::Entry& entry);

// Number of NaN and Inf values.
absl::StatusOr<int64_t> CountNotFinite(const CheckpointReader::Entry& entry);

// Whether two tensors have the same type, shape and bytes.
absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b);

// Whether `copy` is `source` converted to its type: the same shape, and every value the nearest one.
absl::StatusOr<bool> SameValues(const CheckpointReader::Entry& copy, const CheckpointReader::Entry& source);

}  // namespace heroq
