#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_layout.h"

namespace heroq {

// Parses a Hugging Face config.json. Reads both `rope_theta`/`rope_scaling` and `rope_parameters`, `dtype`
// and `torch_dtype`. Errors name the field: FILE_CORRUPT for missing or wrong ones, UNSUPPORTED_ARCHITECTURE
// with the known families, ALREADY_QUANTIZED for a `quantization_config`, UNSUPPORTED for values the forward
// pass does not implement (hidden_act other than silu, rope types other than default, linear, dynamic,
// llama3).
absl::StatusOr<ModelLayout> ParseModelConfig(absl::string_view json, const std::string& path);

// The same, but a `quantization_config` is allowed: for reading checkpoints that heroq or others published.
absl::StatusOr<ModelLayout> ParseQuantizedModelConfig(absl::string_view json, const std::string& path);

// The `model_type`s heroq reads, sorted.
std::vector<std::string> KnownModelFamilies();

}  // namespace heroq
