#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// Reads one linear of a compressed-tensors pack-quantized checkpoint: "<name>.weight_packed" int32 [out,
// ceil(in * bits / 32)], ".weight_scale" bfloat16 or float16 [out, groups], ".weight_shape" [out, in] and,
// asymmetric only,
// ".weight_zero_point" int32 [ceil(out * bits / 32), groups]. `shape` is the [out, in] the model expects;
// scheme.scale_type is taken from the file. MODEL_INVALID naming tensor and rule.
absl::StatusOr<QuantizedLinear> ReadPackedLinear(const CheckpointReader& reader, const std::string& name,
                                                 QuantScheme scheme, const std::vector<int64_t>& shape);

}  // namespace heroq
