#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/linear_storage.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// Names of the tensors that replace "<linear>.weight" in a GPTQ checkpoint.
std::string GptqCodesName(const std::string& linear);       // "<linear>.qweight"
std::string GptqZeroPointsName(const std::string& linear);  // "<linear>.qzeros"
std::string GptqScalesName(const std::string& linear);      // "<linear>.scales"
std::string GptqGroupIndexName(const std::string& linear);  // "<linear>.g_idx"

// Arrays of one linear as a GPTQ checkpoint holds them (LinearFormat::kGptq, kGptqV2).
struct GptqArrays {
  std::vector<int32_t> codes;        // [in * bits / 32, out], each column one bit stream
  std::vector<int32_t> zero_points;  // [groups, out * bits / 32], each row one bit stream
  std::vector<uint16_t> scales;      // [groups, out], float16
  std::vector<int32_t> group_index;  // [in], groups of consecutive columns
};

// Requires float16 scales, and inputs and outputs whose bit streams fill words. Version 1 stores zero points
// less one, modulo 2^bits; `format` is kGptq or kGptqV2.
GptqArrays ToGptq(const QuantizedLinear& linear, LinearFormat format);

// Reads one linear of a GPTQ checkpoint with float16 scales and groups of consecutive columns. `shape` is the
// [out, in] the model expects. MODEL_INVALID naming tensor and rule; UNSUPPORTED for groups in another order,
// for a shorter last group and for negative scales.
absl::StatusOr<QuantizedLinear> ReadGptqLinear(const CheckpointReader& reader, const std::string& name,
                                               const LinearStorage& storage,
                                               const std::vector<int64_t>& shape);

}  // namespace heroq
