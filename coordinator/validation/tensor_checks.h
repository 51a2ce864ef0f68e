#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// A dense tensor as float32 values. UNSUPPORTED unless BF16, F16, F32 or F64.
absl::StatusOr<std::vector<float>> ReadFloats(const CheckpointReader::Entry& entry);

// Number of NaN and Inf values.
absl::StatusOr<int64_t> CountNotFinite(const CheckpointReader::Entry& entry);

// ||What - W||_F^2 / ||W||_F^2 in float64, What dequantized from the stored bytes and W `source` [out, in]; 0
// for W = What = 0.
absl::StatusOr<double> WeightError(const QuantizedLinear& linear, const CheckpointReader::Entry& source);

// Whether two tensors have the same type, shape and bytes.
absl::StatusOr<bool> SameBytes(const CheckpointReader::Entry& a, const CheckpointReader::Entry& b);

}  // namespace heroq
