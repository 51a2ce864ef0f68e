#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// Names of the tensors that replace "<linear>.weight" in a compressed-tensors pack-quantized checkpoint.
std::string PackedName(const std::string& linear);     // "<linear>.weight_packed"
std::string ScaleName(const std::string& linear);      // "<linear>.weight_scale"
std::string ZeroPointName(const std::string& linear);  // "<linear>.weight_zero_point"
std::string ShapeName(const std::string& linear);      // "<linear>.weight_shape"

// Those tensors of one linear: weight_packed int32 [out, ceil(in * bits / 32)], weight_scale [out, groups],
// asymmetric only weight_zero_point int32 [ceil(out * bits / 32), groups], weight_shape int64 [2].
std::vector<TensorSpec> QuantizedTensors(const std::string& linear, int64_t out_features, int64_t in_features,
                                         const QuantScheme& scheme);

}  // namespace heroq
