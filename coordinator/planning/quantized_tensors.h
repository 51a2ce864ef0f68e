#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checkpoint/linear_storage.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// How a checkpoint of ours stores a linear: kGptq when its scales are float16, which GPTQ checkpoints have
// (version 2 has the same tensors with other values, so the scheme does not tell), int-quantized when its
// activations are quantized (loaders drop the quantization of a packed linear's activations without a word),
// else pack-quantized.
LinearFormat StoredFormat(const QuantScheme& scheme);

// Names of the tensors that replace "<linear>.weight" in a compressed-tensors checkpoint.
std::string PackedName(const std::string& linear);     // "<linear>.weight_packed"
std::string IntegerName(const std::string& linear);    // "<linear>.weight", of int-quantized
std::string ScaleName(const std::string& linear);      // "<linear>.weight_scale"
std::string ZeroPointName(const std::string& linear);  // "<linear>.weight_zero_point"
std::string ShapeName(const std::string& linear);      // "<linear>.weight_shape"

// Those tensors of one linear in its StoredFormat, as LinearFormat describes it.
std::vector<TensorSpec> QuantizedTensors(const std::string& linear, int64_t out_features, int64_t in_features,
                                         const QuantScheme& scheme);

}  // namespace heroq
