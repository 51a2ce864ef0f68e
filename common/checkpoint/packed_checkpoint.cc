#include "common/checkpoint/packed_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/strict_json.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

// Reads fields of one file's quantization_config; messages name file and field.
class ConfigFields {
 public:
  explicit ConfigFields(const std::string& path) : path_(path) {}

  absl::Status Unsupported(const std::string& field, const std::string& found) const {
    return MakeError(Reason::kUnsupported, absl::StrCat(path_, ": quantization_config.", field, " is ", found,
                                                        ", which heroq does not read"));
  }
  absl::Status Require(const Json& object, const std::string& field,
                       const std::vector<std::string>& known) const {
    const std::string value = object.value(LastPart(field), Json(nullptr)).dump();
    if (std::find(known.begin(), known.end(), value) != known.end()) return absl::OkStatus();
    return Unsupported(field, value);
  }
  absl::StatusOr<int> Integer(const Json& object, const std::string& field) const {
    const Json value = object.value(LastPart(field), Json(nullptr));
    if (!value.is_number_integer()) return Unsupported(field, value.dump());
    return value.get<int>();
  }

 private:
  static std::string LastPart(const std::string& field) { return field.substr(field.rfind('.') + 1); }

  const std::string& path_;
};

// A name, or "re:" and a pattern that matches from the name's start.
absl::StatusOr<NamePattern> ParsePattern(const std::string& text, const ConfigFields& fields) {
  NamePattern pattern{text, std::nullopt};
  absl::string_view expression = text;
  if (!absl::ConsumePrefix(&expression, "re:")) return pattern;
  try {
    pattern.regex.emplace(std::string(expression));
  } catch (const std::regex_error& error) {
    return fields.Unsupported("targets", absl::StrCat("\"", text, "\" (", error.what(), ")"));
  }
  return pattern;
}

bool Matches(const NamePattern& pattern, const std::string& name) {
  if (!pattern.regex) return pattern.text == name;
  return std::regex_search(name, *pattern.regex, std::regex_constants::match_continuous);
}

absl::StatusOr<QuantScheme> ParseScheme(const Json& group, const std::string& prefix,
                                        const ConfigFields& fields) {
  HEROQ_RETURN_IF_ERROR(fields.Require(group, prefix + "format", {"\"pack-quantized\"", "null"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(group, prefix + "input_activations", {"null"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(group, prefix + "output_activations", {"null"}));
  const Json weights = group.value("weights", Json(nullptr));
  const std::string base = prefix + "weights.";
  if (!weights.is_object()) return fields.Unsupported(prefix + "weights", weights.dump());
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "type", {"\"int\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "strategy", {"\"group\"", "\"channel\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "symmetric", {"true", "false"}));
  // "group" reorders columns by a stored index; static orders leave nothing behind.
  HEROQ_RETURN_IF_ERROR(
      fields.Require(weights, base + "actorder", {"null", "false", "\"static\"", "\"weight\""}));
  QuantScheme scheme;
  HEROQ_ASSIGN_OR_RETURN(scheme.weight_bits, fields.Integer(weights, base + "num_bits"));
  if (scheme.weight_bits < 2 || scheme.weight_bits > 8) {
    return fields.Unsupported(base + "num_bits", absl::StrCat(scheme.weight_bits));
  }
  scheme.symmetric = weights["symmetric"].get<bool>();
  scheme.group_size = kPerChannel;
  if (weights["strategy"] == "group") {
    HEROQ_ASSIGN_OR_RETURN(scheme.group_size, fields.Integer(weights, base + "group_size"));
    if (scheme.group_size < 1)
      return fields.Unsupported(base + "group_size", absl::StrCat(scheme.group_size));
  }
  return scheme;
}

absl::StatusOr<std::vector<NamePattern>> ParsePatterns(const Json& list, const std::string& field,
                                                       const ConfigFields& fields) {
  std::vector<NamePattern> patterns;
  if (!list.is_array()) return fields.Unsupported(field, list.dump());
  for (const Json& entry : list) {
    if (!entry.is_string()) return fields.Unsupported(field, list.dump());
    HEROQ_ASSIGN_OR_RETURN(NamePattern pattern, ParsePattern(entry.get<std::string>(), fields));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

absl::Status CheckWholeConfig(const Json& config, const ConfigFields& fields) {
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "quant_method", {"\"compressed-tensors\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "quantization_status", {"\"compressed\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "kv_cache_scheme", {"null"}));
  HEROQ_RETURN_IF_ERROR(
      fields.Require(config, "format", {"\"pack-quantized\"", "\"mixed-precision\"", "null"}));
  const Json sparsity = config.value("sparsity_config", Json::object());
  if (!sparsity.is_null() && !(sparsity.is_object() && sparsity.value("format", Json("dense")) == "dense")) {
    return fields.Unsupported("sparsity_config", sparsity.dump());
  }
  const Json transforms = config.value("transform_config", Json::object());
  if (!transforms.is_null() &&
      !(transforms.is_object() && transforms.value("config_groups", Json::object()).empty())) {
    return fields.Unsupported("transform_config", "not empty");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<PackedCheckpoint>> PackedCheckpoint::Parse(absl::string_view config_json,
                                                                        const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(config_json, path));
  const Json config = root.is_object() ? root.value("quantization_config", Json(nullptr)) : Json(nullptr);
  if (config.is_null()) return std::nullopt;
  const ConfigFields fields(path);
  if (!config.is_object()) return fields.Unsupported("", config.dump());
  HEROQ_RETURN_IF_ERROR(CheckWholeConfig(config, fields));

  PackedCheckpoint checkpoint;
  HEROQ_ASSIGN_OR_RETURN(checkpoint.ignored_,
                         ParsePatterns(config.value("ignore", Json::array()), "ignore", fields));
  const Json groups = config.value("config_groups", Json(nullptr));
  if (!groups.is_object()) return fields.Unsupported("config_groups", groups.dump());
  for (const auto& [name, group] : groups.items()) {
    const std::string prefix = absl::StrCat("config_groups.", name, ".");
    if (!group.is_object()) return fields.Unsupported(prefix, group.dump());
    HEROQ_ASSIGN_OR_RETURN(const QuantScheme scheme, ParseScheme(group, prefix, fields));
    HEROQ_ASSIGN_OR_RETURN(std::vector<NamePattern> patterns,
                           ParsePatterns(group.value("targets", Json(nullptr)), prefix + "targets", fields));
    for (NamePattern& pattern : patterns) checkpoint.targets_.push_back({std::move(pattern), scheme});
  }
  return checkpoint;
}

std::optional<QuantScheme> PackedCheckpoint::SchemeOf(const std::string& name) const {
  const auto covers = [&](const NamePattern& pattern) {
    return pattern.text == "Linear" || Matches(pattern, name);
  };
  if (std::any_of(ignored_.begin(), ignored_.end(), covers)) return std::nullopt;
  const Target* best = nullptr;
  // Names before patterns before the class; among patterns the first in text order.
  const auto rank = [](const Target& target) {
    return target.pattern.text == "Linear" ? 2 : target.pattern.regex ? 1 : 0;
  };
  for (const Target& target : targets_) {
    if (!covers(target.pattern)) continue;
    if (best == nullptr ||
        std::make_pair(rank(target), target.pattern.text) < std::make_pair(rank(*best), best->pattern.text)) {
      best = &target;
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->scheme;
}

}  // namespace heroq
