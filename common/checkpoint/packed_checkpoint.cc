#include "common/checkpoint/packed_checkpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

// Before version 0.17 codes never crossed words.
bool PacksAcrossWords(const Json& config) {
  const Json version = config.value("version", Json(nullptr));
  if (!version.is_string()) return true;
  const std::vector<std::string> parts = absl::StrSplit(version.get<std::string>(), '.');
  int major = 0, minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major) || !absl::SimpleAtoi(parts[1], &minor)) {
    return true;
  }
  return major > 0 || minor >= 17;
}

// Activations that are quantized at run time leave nothing in the file.
absl::StatusOr<int> ParseActivations(const Json& group, const std::string& prefix,
                                     const QuantizationFields& fields, PackedScope scope) {
  const Json activations = group.value("input_activations", Json(nullptr));
  if (activations.is_null()) return QuantScheme().activation_bits;
  const std::string base = prefix + "input_activations.";
  if (!activations.is_object()) return fields.Unsupported(prefix + "input_activations", activations.dump());
  HEROQ_RETURN_IF_ERROR(fields.Require(activations, base + "dynamic", {"true"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(activations, base + "type", {"\"int\""}));
  if (scope == PackedScope::kComputed) {
    HEROQ_RETURN_IF_ERROR(fields.Require(activations, base + "symmetric", {"true"}));
    HEROQ_RETURN_IF_ERROR(fields.Require(activations, base + "strategy", {"\"token\""}));
  }
  return fields.Bits(activations, base + "num_bits");
}

// Values of "format", of the whole configuration or of a group, as JSON texts.
std::vector<std::string> KnownFormats() {
  return {"\"pack-quantized\"", "\"int-quantized\"", "\"naive-quantized\"", "null"};
}

absl::StatusOr<LinearStorage> ParseStorage(const Json& config, const Json& group, const std::string& prefix,
                                           const QuantizationFields& fields, PackedScope scope) {
  // "group" reorders columns by a stored index; static orders leave nothing behind.
  std::vector<std::string> orders = {"null", "false", "\"static\"", "\"weight\""};
  if (scope == PackedScope::kStored) orders.push_back("\"group\"");
  HEROQ_RETURN_IF_ERROR(fields.Require(group, prefix + "format", KnownFormats()));
  HEROQ_RETURN_IF_ERROR(fields.Require(group, prefix + "output_activations", {"null"}));
  const Json weights = group.value("weights", Json(nullptr));
  const std::string base = prefix + "weights.";
  if (!weights.is_object()) return fields.Unsupported(prefix + "weights", weights.dump());
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "type", {"\"int\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "strategy", {"\"group\"", "\"channel\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "symmetric", {"true", "false"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(weights, base + "actorder", orders));
  LinearStorage storage;
  QuantScheme& scheme = storage.scheme;
  HEROQ_ASSIGN_OR_RETURN(scheme.weight_bits, fields.Bits(weights, base + "num_bits"));
  HEROQ_ASSIGN_OR_RETURN(scheme.activation_bits, ParseActivations(group, prefix, fields, scope));
  scheme.symmetric = weights["symmetric"].get<bool>();
  scheme.group_size = kPerChannel;
  if (weights["strategy"] == "group") {
    HEROQ_ASSIGN_OR_RETURN(scheme.group_size, fields.Integer(weights, base + "group_size"));
    if (scheme.group_size < 1)
      return fields.Unsupported(base + "group_size", absl::StrCat(scheme.group_size));
  }
  Json format = group.value("format", Json(nullptr));
  if (format.is_null()) format = config.value("format", Json(nullptr));
  const bool whole_bytes = format == "int-quantized" || format == "naive-quantized";
  storage.format = whole_bytes ? LinearFormat::kIntQuantized : LinearFormat::kPackQuantized;
  if (weights.value("actorder", Json(nullptr)) == "group") storage.group_index = GroupIndex::kAnyOrder;
  storage.signed_scales = config.value("provider", Json(nullptr)) == "auto-round";
  if (!whole_bytes && 32 % scheme.weight_bits != 0 && !PacksAcrossWords(config)) {
    return fields.Unsupported("version", absl::StrCat(config["version"].dump(), " with ", scheme.weight_bits,
                                                      "-bit codes that do not cross words"));
  }
  return storage;
}

absl::Status CheckWholeConfig(const Json& config, const QuantizationFields& fields) {
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "quant_method", {"\"compressed-tensors\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "quantization_status", {"\"compressed\""}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "kv_cache_scheme", {"null"}));
  std::vector<std::string> formats = KnownFormats();
  formats.push_back("\"mixed-precision\"");
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "format", formats));
  const Json sparsity = config.value("sparsity_config", Json::object());
  if (!sparsity.is_null() && !(sparsity.is_object() && sparsity.value("format", Json("dense")) == "dense")) {
    return fields.Unsupported("sparsity_config", sparsity.dump());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<PackedCheckpoint>> PackedCheckpoint::Parse(absl::string_view config_json,
                                                                        const std::string& path,
                                                                        PackedScope scope) {
  HEROQ_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(config_json, path));
  const Json config = root.is_object() ? root.value("quantization_config", Json(nullptr)) : Json(nullptr);
  if (config.is_null()) return std::nullopt;
  const QuantizationFields fields(path);
  if (!config.is_object()) return fields.Unsupported("", config.dump());
  HEROQ_RETURN_IF_ERROR(CheckWholeConfig(config, fields));

  PackedCheckpoint checkpoint;
  HEROQ_ASSIGN_OR_RETURN(checkpoint.online_,
                         OnlineTransforms::Parse(config.value("transform_config", Json(nullptr)), fields));
  HEROQ_ASSIGN_OR_RETURN(checkpoint.ignored_,
                         ParseTargets(config.value("ignore", Json::array()), "ignore", fields));
  const Json groups = config.value("config_groups", Json(nullptr));
  if (!groups.is_object()) return fields.Unsupported("config_groups", groups.dump());
  for (const auto& [name, group] : groups.items()) {
    const std::string prefix = absl::StrCat("config_groups.", name, ".");
    if (!group.is_object()) return fields.Unsupported(prefix, group.dump());
    HEROQ_ASSIGN_OR_RETURN(const LinearStorage storage, ParseStorage(config, group, prefix, fields, scope));
    HEROQ_ASSIGN_OR_RETURN(std::vector<NamePattern> patterns,
                           ParseTargets(group.value("targets", Json(nullptr)), prefix + "targets", fields));
    for (NamePattern& pattern : patterns) checkpoint.targets_.push_back({std::move(pattern), storage});
  }
  return checkpoint;
}

std::optional<LinearStorage> PackedCheckpoint::StorageOf(const std::string& name) const {
  const auto covers = [&](const NamePattern& pattern) { return pattern.CoversLinear(name); };
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
  return best->storage;
}

std::optional<QuantScheme> PackedCheckpoint::SchemeOf(const std::string& name) const {
  const std::optional<LinearStorage> storage = StorageOf(name);
  if (!storage.has_value()) return std::nullopt;
  return storage->scheme;
}

}  // namespace heroq
