#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/linear_storage.h"
#include "common/quant/quant_scheme.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// The version of the compressed-tensors format the published files follow (dense packing of 3, 5, 6, 7 bits
// came with 0.17).
inline constexpr char kCompressedTensorsVersion[] = "0.19.0";

// The format of every quantized linear: "pack-quantized", "int-quantized", or "mixed-precision" for both;
// "gptq" or "gptq_v2" where the plan's quantization_config says so. Pure.
std::string CheckpointFormat(const v1::Plan& plan);

// The format of linears of that scheme in a complete plan. Pure.
LinearFormat PlannedFormat(const v1::Plan& plan, const QuantScheme& scheme);

// `quantization_config` of a compressed-tensors checkpoint, as JSON without line breaks: one config group per
// distinct scheme of `plan.units()`. A single scheme targets "Linear"; several target a pattern where a
// scheme covers the same linear of every block, and names elsewhere. `plan.kept()` is ignored by name. Pure.
std::string QuantizationConfigJson(const v1::Plan& plan);

// `config_json` with member "quantization_config" added at its end; every other byte stays. INTERNAL unless
// it is an object.
absl::StatusOr<std::string> AddQuantizationConfig(const std::string& config_json,
                                                  const std::string& quantization_config_json);

// `config_json` with "tie_word_embeddings" false. INTERNAL unless it is an object.
absl::StatusOr<std::string> UntieHead(const std::string& config_json);

}  // namespace heroq
