#include "common/checkpoint/gptq_config.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr int kDenseBits = 16;

// What one object says of bits, group size and symmetry; what it leaves out stays.
absl::Status ParseGrid(const Json& object, const std::string& prefix, const QuantizationFields& fields,
                       QuantScheme& scheme) {
  if (object.contains("bits")) {
    HEROQ_ASSIGN_OR_RETURN(scheme.weight_bits, fields.Bits(object, prefix + "bits"));
    // Other widths are stored as bit planes.
    HEROQ_RETURN_IF_ERROR(fields.Require(object, prefix + "bits", {"2", "3", "4", "8"}));
  }
  if (object.contains("group_size")) {
    HEROQ_ASSIGN_OR_RETURN(scheme.group_size, fields.Integer(object, prefix + "group_size"));
    if (scheme.group_size < 1 && scheme.group_size != kPerChannel) {
      return fields.Unsupported(prefix + "group_size", absl::StrCat(scheme.group_size));
    }
  }
  HEROQ_ASSIGN_OR_RETURN(scheme.symmetric, fields.Boolean(object, prefix + "sym", scheme.symmetric));
  return absl::OkStatus();
}

absl::StatusOr<bool> IsDense(const Json& object, const std::string& prefix,
                             const QuantizationFields& fields) {
  if (!object.contains("bits")) return false;
  HEROQ_ASSIGN_OR_RETURN(const int bits, fields.Integer(object, prefix + "bits"));
  return bits >= kDenseBits;
}

absl::StatusOr<LinearFormat> FormatOf(const Json& config, bool auto_round, const QuantizationFields& fields) {
  if (auto_round) {
    HEROQ_RETURN_IF_ERROR(
        fields.Require(config, "packing_format",
                       {"\"auto_round:auto_gptq\"", "\"auto_round:gptq\"", "\"auto_round:gptqmodel\""}));
    return config["packing_format"] == "auto_round:gptqmodel" ? LinearFormat::kGptqV2 : LinearFormat::kGptq;
  }
  const char* field = config.contains("checkpoint_format") ? "checkpoint_format" : "format";
  HEROQ_RETURN_IF_ERROR(fields.Require(config, field, {"\"gptq\"", "\"gptq_v2\"", "null"}));
  return config.value(field, Json(nullptr)) == "gptq_v2" ? LinearFormat::kGptqV2 : LinearFormat::kGptq;
}

// Lists of lists of names inside a block, as optimum writes them: what is not in one is dense.
absl::StatusOr<std::vector<std::string>> QuantizedNames(const Json& config,
                                                        const QuantizationFields& fields) {
  std::vector<std::string> names;
  for (const char* field : {"modules_in_block_to_quantize", "inside_layer_modules"}) {
    const Json lists = config.value(field, Json(nullptr));
    if (lists.is_null()) continue;
    if (!lists.is_array()) return fields.Unsupported(field, lists.dump());
    for (const Json& list : lists) {
      if (!list.is_array()) return fields.Unsupported(field, lists.dump());
      for (const Json& name : list) {
        if (!name.is_string()) return fields.Unsupported(field, lists.dump());
        names.push_back(absl::StrCat(".", name.get<std::string>()));
      }
    }
  }
  return names;
}

// The object of overrides by pattern in `field`; empty when it is absent.
absl::StatusOr<Json> Overrides(const Json& config, const std::string& field,
                               const QuantizationFields& fields) {
  Json overrides = config.value(field, Json(nullptr));
  if (overrides.is_null()) return Json::object();
  if (!overrides.is_object()) return fields.Unsupported(field, overrides.dump());
  if (overrides.size() > kMaxNamePatterns) {
    return fields.Unsupported(field, absl::StrCat("a list of ", overrides.size()));
  }
  return overrides;
}

}  // namespace

absl::StatusOr<GptqConfig> GptqConfig::Parse(const Json& config, const std::string& path) {
  const QuantizationFields fields(path);
  if (!config.is_object()) return fields.Unsupported("", config.dump());
  // quantize_config.json of AutoGPTQ names no method.
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "quant_method", {"\"gptq\"", "\"auto-round\"", "null"}));
  const bool auto_round = config.value("quant_method", Json(nullptr)) == "auto-round";
  for (const char* field : {"bits", "group_size"}) {
    HEROQ_RETURN_IF_ERROR(fields.Integer(config, field).status());
  }
  GptqConfig result;
  LinearStorage& storage = result.storage_;
  HEROQ_ASSIGN_OR_RETURN(storage.format, FormatOf(config, auto_round, fields));
  storage.scheme.symmetric = true;
  HEROQ_RETURN_IF_ERROR(ParseGrid(config, "", fields, storage.scheme));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "pack_dtype", {"\"int32\"", "null"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "data_type", {"\"int\"", "null"}));
  HEROQ_RETURN_IF_ERROR(fields.Require(config, "lm_head", {"false", "null"}));
  HEROQ_ASSIGN_OR_RETURN(const bool any_order, fields.Boolean(config, "desc_act", false));
  storage.group_index = any_order ? GroupIndex::kAnyOrder : GroupIndex::kAllowed;
  storage.signed_scales = auto_round || config.value("provider", Json(nullptr)) == "auto-round";
  HEROQ_ASSIGN_OR_RETURN(result.quantized_, QuantizedNames(config, fields));
  HEROQ_RETURN_IF_ERROR(result.ParseDynamic(config, fields));
  HEROQ_RETURN_IF_ERROR(result.ParseExtra(config, fields));
  return result;
}

absl::Status GptqConfig::ParseDynamic(const Json& config, const QuantizationFields& fields) {
  HEROQ_ASSIGN_OR_RETURN(const Json dynamic, Overrides(config, "dynamic", fields));
  for (const auto& [key, object] : dynamic.items()) {
    absl::string_view expression = key;
    const bool dense = absl::ConsumePrefix(&expression, "-:");
    if (!dense) absl::ConsumePrefix(&expression, "+:");
    Override override;
    HEROQ_ASSIGN_OR_RETURN(override.pattern, ParseRegex(key, std::string(expression), "dynamic", fields));
    if (!dense) {
      if (!object.is_object()) return fields.Unsupported("dynamic", dynamic.dump());
      override.storage = storage_;
      HEROQ_RETURN_IF_ERROR(ParseGrid(object, "dynamic.", fields, override.storage->scheme));
      const bool order = storage_.group_index == GroupIndex::kAnyOrder;
      HEROQ_ASSIGN_OR_RETURN(const bool any_order, fields.Boolean(object, "desc_act", order));
      override.storage->group_index = any_order ? GroupIndex::kAnyOrder : GroupIndex::kAllowed;
    }
    overrides_.push_back(std::move(override));
  }
  return absl::OkStatus();
}

absl::Status GptqConfig::ParseExtra(const Json& config, const QuantizationFields& fields) {
  HEROQ_ASSIGN_OR_RETURN(const Json extra, Overrides(config, "extra_config", fields));
  for (const auto& [key, object] : extra.items()) {
    if (!object.is_object()) return fields.Unsupported("extra_config", extra.dump());
    // A name or a regular expression; a name matches itself when read as one.
    Override override;
    HEROQ_ASSIGN_OR_RETURN(override.pattern, ParseRegex(key, key, "extra_config", fields));
    HEROQ_ASSIGN_OR_RETURN(const bool dense, IsDense(object, "extra_config.", fields));
    if (!dense) {
      override.storage = storage_;
      HEROQ_RETURN_IF_ERROR(ParseGrid(object, "extra_config.", fields, override.storage->scheme));
    }
    overrides_.push_back(std::move(override));
  }
  return absl::OkStatus();
}

std::optional<LinearStorage> GptqConfig::StorageOf(const std::string& name) const {
  for (const Override& override : overrides_) {
    if (override.pattern.Matches(name)) return override.storage;
  }
  const auto is_last_part = [&](const std::string& part) { return absl::EndsWith(name, part); };
  if (!quantized_.empty() && std::none_of(quantized_.begin(), quantized_.end(), is_last_part)) {
    return std::nullopt;
  }
  return storage_;
}

}  // namespace heroq
