#include "coordinator/planning/quantization_config.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/quant/quant_scheme.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/base_method.h"
#include "coordinator/planning/online_rotations.h"
#include "coordinator/planning/quantized_tensors.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

struct Group {
  v1::LinearScheme scheme;
  std::vector<std::string> linears;
};

// "model.layers.12.mlp.up_proj" -> "model.layers.#.mlp.up_proj".
std::string WithoutBlock(const std::string& name) {
  std::vector<std::string> parts = absl::StrSplit(name, '.');
  int64_t number = 0;
  for (std::string& part : parts) {
    if (absl::SimpleAtoi(part, &number)) {
      part.assign(1, '#');
      break;
    }
  }
  return absl::StrJoin(parts, ".");
}

std::vector<Group> GroupByScheme(const v1::Plan& plan) {
  std::vector<Group> groups;
  std::map<std::string, size_t> index;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const auto [entry, added] = index.emplace(SchemeText(linear.scheme()), groups.size());
      if (added) groups.push_back({linear.scheme(), {}});
      groups[entry->second].linears.push_back(linear.name());
    }
  }
  return groups;
}

bool UsesActOrder(v1::MethodSpec method) {
  const v1::GptqParameters* gptq = FindGptq(method).parameters;
  return gptq != nullptr && gptq->act_order();
}

Json Weights(const v1::LinearScheme& scheme, const v1::MethodSpec& method) {
  const bool channel = scheme.group_size() == kPerChannel;
  Json weights;
  weights["num_bits"] = scheme.weight_bits();
  weights["type"] = "int";
  weights["symmetric"] = scheme.symmetric();
  weights["strategy"] = channel ? "channel" : "group";
  weights["group_size"] = channel ? Json(nullptr) : Json(scheme.group_size());
  weights["block_structure"] = nullptr;
  weights["dynamic"] = false;
  // "weight": columns were quantized in order of activation, groups and stored order are the original ones.
  weights["actorder"] = UsesActOrder(method) ? Json("weight") : Json(nullptr);
  weights["observer"] = "minmax";
  weights["observer_kwargs"] = Json::object();
  return weights;
}

// Found at run time, one symmetric scale per token.
Json InputActivations(const v1::LinearScheme& scheme) {
  if (!ToQuantScheme(scheme).quantizes_activations()) return nullptr;
  Json activations;
  activations["num_bits"] = scheme.activation_bits();
  activations["type"] = "int";
  activations["symmetric"] = true;
  activations["strategy"] = "token";
  activations["group_size"] = nullptr;
  activations["block_structure"] = nullptr;
  activations["dynamic"] = true;
  activations["actorder"] = nullptr;
  activations["observer"] = nullptr;
  activations["observer_kwargs"] = Json::object();
  return activations;
}

std::string FormatOf(const v1::LinearScheme& scheme) {
  return std::string(ToString(StoredFormat(ToQuantScheme(scheme))));
}

// Patterns for linears that are in one group in every block (kept ones aside: `ignore` wins), names for the
// others.
std::vector<std::string> Targets(const Group& group,
                                 const std::map<std::string, std::set<size_t>>& groups_of_kind) {
  std::vector<std::string> targets;
  std::set<std::string> done;
  for (const std::string& name : group.linears) {
    const std::string kind = WithoutBlock(name);
    if (groups_of_kind.at(kind).size() > 1) {
      targets.push_back(name);
    } else if (done.insert(kind).second) {
      targets.push_back(absl::StrCat("re:^", absl::StrReplaceAll(kind, {{".", "\\."}, {"#", "\\d+"}}), "$"));
    }
  }
  return targets;
}

}  // namespace

std::string CheckpointFormat(const v1::Plan& plan) {
  const Json written = Json::parse(plan.quantization_config_json(), nullptr, /*allow_exceptions=*/false);
  if (written.is_object() && written.value("quant_method", "") == "gptq") {
    return written.value("checkpoint_format", "");
  }
  std::set<std::string> formats;
  for (const Group& group : GroupByScheme(plan)) formats.insert(FormatOf(group.scheme));
  return formats.size() == 1 ? *formats.begin() : "mixed-precision";
}

LinearFormat PlannedFormat(const v1::Plan& plan, const QuantScheme& scheme) {
  const LinearFormat format = StoredFormat(scheme);
  const bool second = format == LinearFormat::kGptq && CheckpointFormat(plan) == "gptq_v2";
  return second ? LinearFormat::kGptqV2 : format;
}

std::string QuantizationConfigJson(const v1::Plan& plan) {
  const std::vector<Group> groups = GroupByScheme(plan);
  std::map<std::string, std::set<size_t>> groups_of_kind;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const std::string& name : groups[i].linears) groups_of_kind[WithoutBlock(name)].insert(i);
  }
  Json config_groups = Json::object();
  for (size_t i = 0; i < groups.size(); ++i) {
    Json& group = config_groups[absl::StrCat("group_", i)];
    group["targets"] =
        groups.size() == 1 ? std::vector<std::string>{"Linear"} : Targets(groups[i], groups_of_kind);
    group["format"] = FormatOf(groups[i].scheme);
    group["weights"] = Weights(groups[i].scheme, plan.method());
    group["input_activations"] = InputActivations(groups[i].scheme);
    group["output_activations"] = nullptr;
  }
  Json ignore = Json::array();
  for (const v1::KeptLinear& kept : plan.kept()) ignore.push_back(kept.name());

  Json config;
  config["quant_method"] = "compressed-tensors";
  config["version"] = kCompressedTensorsVersion;
  config["format"] = CheckpointFormat(plan);
  config["quantization_status"] = "compressed";
  config["global_compression_ratio"] = nullptr;
  config["config_groups"] = std::move(config_groups);
  config["ignore"] = std::move(ignore);
  config["kv_cache_scheme"] = nullptr;
  config["sparsity_config"] = Json::object();
  config["transform_config"] = TransformConfig(plan);
  return config.dump();
}

absl::StatusOr<std::string> AddQuantizationConfig(const std::string& config_json,
                                                  const std::string& quantization_config_json) {
  absl::string_view body = absl::StripAsciiWhitespace(config_json);
  if (!absl::ConsumePrefix(&body, "{") || !absl::ConsumeSuffix(&body, "}")) {
    return MakeError(Reason::kInternal, "config.json is not an object");
  }
  body = absl::StripTrailingAsciiWhitespace(body);
  const bool empty = absl::StripAsciiWhitespace(body).empty();
  // Indented like the two spaces of the files around it.
  const std::string value =
      absl::StrReplaceAll(Json::parse(quantization_config_json).dump(2), {{"\n", "\n  "}});
  return absl::StrCat("{", body, empty ? "" : ",", "\n  \"quantization_config\": ", value, "\n}\n");
}

absl::StatusOr<std::string> UntieHead(const std::string& config_json) {
  Json config = Json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return MakeError(Reason::kInternal, "config.json is not an object");
  config["tie_word_embeddings"] = false;
  return absl::StrCat(config.dump(2), "\n");
}

}  // namespace heroq
