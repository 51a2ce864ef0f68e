#include "common/model/rope_config.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr double kDefaultTheta = 10000.0;
constexpr int64_t kMaxPositions = int64_t{1} << 32;

absl::Status RefusePartialRotation(const ConfigFields& fields) {
  HEROQ_ASSIGN_OR_RETURN(const double factor, fields.PositiveNumber("partial_rotary_factor", 1.0));
  if (factor == 1.0) return absl::OkStatus();
  return fields.Unsupported("partial_rotary_factor",
                            absl::StrCat("is ", factor, ", heroq rotates whole heads only"));
}

absl::StatusOr<RopeKind> ReadKind(const ConfigFields& parameters) {
  const std::string field = parameters.Has("rope_type") ? "rope_type" : "type";
  HEROQ_ASSIGN_OR_RETURN(const std::string type, parameters.String(field, "default"));
  if (type == "default") return RopeKind::kDefault;
  if (type == "linear") return RopeKind::kLinear;
  if (type == "dynamic") return RopeKind::kDynamic;
  if (type == "llama3") return RopeKind::kLlama3;
  return parameters.Unsupported(
      field, absl::StrCat("rope type \"", type, "\", heroq has default, linear, dynamic and llama3"));
}

absl::Status ReadLlama3(const ConfigFields& config, const ConfigFields& parameters, int64_t max_positions,
                        RopeConfig* rope) {
  HEROQ_ASSIGN_OR_RETURN(rope->low_freq_factor, parameters.PositiveNumber("low_freq_factor"));
  HEROQ_ASSIGN_OR_RETURN(rope->high_freq_factor, parameters.PositiveNumber("high_freq_factor"));
  if (rope->high_freq_factor <= rope->low_freq_factor) {
    return parameters.Corrupt("high_freq_factor", "must be greater than low_freq_factor");
  }
  const std::string field = "original_max_position_embeddings";
  const ConfigFields& source = config.Has(field) ? config : parameters;
  HEROQ_ASSIGN_OR_RETURN(rope->original_max_positions,
                         source.Integer(field, 1, kMaxPositions, max_positions));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RopeConfig> ReadRopeConfig(const ConfigFields& config, int64_t max_positions) {
  HEROQ_RETURN_IF_ERROR(RefusePartialRotation(config));
  RopeConfig rope;
  HEROQ_ASSIGN_OR_RETURN(rope.theta, config.PositiveNumber("rope_theta", kDefaultTheta));
  const bool scaled = config.Has("rope_scaling") && !config.json()["rope_scaling"].empty();
  if (!scaled && !config.Has("rope_parameters")) return rope;

  HEROQ_ASSIGN_OR_RETURN(const ConfigFields parameters,
                         config.Object(scaled ? "rope_scaling" : "rope_parameters"));
  for (const auto& [key, value] : parameters.json().items()) {
    if (value.is_object()) return parameters.Unsupported(key, "heroq has no rope parameters per layer type");
  }
  HEROQ_RETURN_IF_ERROR(RefusePartialRotation(parameters));
  HEROQ_ASSIGN_OR_RETURN(rope.theta, parameters.PositiveNumber("rope_theta", rope.theta));
  HEROQ_ASSIGN_OR_RETURN(rope.kind, ReadKind(parameters));
  if (rope.kind == RopeKind::kDefault) return rope;
  HEROQ_ASSIGN_OR_RETURN(rope.factor, parameters.PositiveNumber("factor"));
  if (rope.kind == RopeKind::kDynamic) rope.original_max_positions = max_positions;
  if (rope.kind == RopeKind::kLlama3) {
    HEROQ_RETURN_IF_ERROR(ReadLlama3(config, parameters, max_positions, &rope));
  }
  return rope;
}

}  // namespace heroq
