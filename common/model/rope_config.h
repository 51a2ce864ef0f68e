#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/model/config_fields.h"
#include "common/model/model_layout.h"

namespace heroq {

// Reads the rotary embedding of a config.json, in both spellings: `rope_theta` and `rope_scaling` at the top,
// or everything in `rope_parameters`. As in transformers, `rope_scaling` wins when a file has both, the type
// is `rope_type` or `type`, llama3 takes `original_max_position_embeddings` from the top level first and else
// `max_positions`, and dynamic scaling starts beyond `max_positions`. UNSUPPORTED for types other than
// default, linear, dynamic and llama3, for partial rotation, and for parameters per layer type.
absl::StatusOr<RopeConfig> ReadRopeConfig(const ConfigFields& config, int64_t max_positions);

}  // namespace heroq
