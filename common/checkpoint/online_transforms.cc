#include "common/checkpoint/online_transforms.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr char kSuffix[] = "_input.weight";
constexpr char kField[] = "transform_config";

absl::Status CheckMembers(const Json& object, const std::string& field, const std::vector<std::string>& known,
                          const QuantizationFields& fields) {
  if (!object.is_object()) return fields.Unsupported(field, object.dump());
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fields.Unsupported(absl::StrCat(field, ".", name), value.dump());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OnlineTransforms> OnlineTransforms::Parse(const Json& config,
                                                         const QuantizationFields& fields) {
  OnlineTransforms transforms;
  transforms.path_ = fields.path();
  if (config.is_null()) return transforms;
  HEROQ_RETURN_IF_ERROR(CheckMembers(config, kField, {"config_groups"}, fields));
  const Json groups = config.value("config_groups", Json::object());
  const std::string field = absl::StrCat(kField, ".config_groups");
  if (!groups.is_object() || groups.size() > kMaxTransformGroups) {
    return fields.Unsupported(field,
                              groups.is_object() ? absl::StrCat("a set of ", groups.size()) : groups.dump());
  }
  for (const auto& [name, group] : groups.items()) {
    HEROQ_RETURN_IF_ERROR(transforms.AddGroup(name, group, fields));
  }
  return transforms;
}

absl::Status OnlineTransforms::AddGroup(const std::string& name, const Json& group,
                                        const QuantizationFields& fields) {
  const std::string field = absl::StrCat(kField, ".config_groups.", name);
  // Precision and gradients say how a tool computes, not what is stored.
  HEROQ_RETURN_IF_ERROR(CheckMembers(
      group, field, {"type", "apply", "randomize", "requires_grad", "head_dim", "precision"}, fields));
  HEROQ_RETURN_IF_ERROR(
      fields.Require(group, field + ".type", {"\"random-hadamard\"", "\"hadamard\"", "\"random-matrix\""}));
  const Json apply = group.value("apply", Json::array());
  if (!apply.is_array()) return fields.Unsupported(field + ".apply", apply.dump());
  for (const Json& entry : apply) {
    const std::string place = field + ".apply";
    HEROQ_RETURN_IF_ERROR(CheckMembers(entry, place, {"targets", "location", "inverse", "ignore"}, fields));
    const Json location = entry.value("location", Json(nullptr));
    if (location == "weight_input" || location == "weight_output") continue;
    HEROQ_RETURN_IF_ERROR(fields.Require(entry, place + ".location", {"\"input\""}));
    HEROQ_RETURN_IF_ERROR(fields.Require(entry, place + ".inverse", {"null", "false"}));
    HEROQ_RETURN_IF_ERROR(fields.Require(group, field + ".type", {"\"random-hadamard\""}));
    HEROQ_RETURN_IF_ERROR(fields.Require(group, field + ".randomize", {"null", "false"}));
    Target target;
    HEROQ_ASSIGN_OR_RETURN(const int size, fields.Integer(group, field + ".head_dim"));
    if (size < 1 || size > kMaxRotationSize) {
      return fields.Unsupported(field + ".head_dim", absl::StrCat(size));
    }
    target.rotation = {name, size};
    HEROQ_ASSIGN_OR_RETURN(target.modules,
                           ParseTargets(entry.value("targets", Json(nullptr)), place + ".targets", fields));
    HEROQ_ASSIGN_OR_RETURN(target.ignored,
                           ParseTargets(entry.value("ignore", Json::array()), place + ".ignore", fields));
    targets_.push_back(std::move(target));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<OnlineRotation>> OnlineTransforms::RotationOf(const std::string& name) const {
  const auto covered = [&](const std::vector<NamePattern>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const NamePattern& pattern) { return pattern.CoversLinear(name); });
  };
  std::optional<OnlineRotation> found;
  for (const Target& target : targets_) {
    if (!covered(target.modules) || covered(target.ignored)) continue;
    if (found.has_value()) {
      return MakeError(Reason::kUnsupported,
                       absl::StrCat(path_, ": quantization_config.", kField, " transforms the input of ",
                                    name, " by ", QuoteExcerpt(found->group), " and ",
                                    QuoteExcerpt(target.rotation.group), ", expected one transform"));
    }
    found = target.rotation;
  }
  return found;
}

std::string OnlineTensorName(const std::string& linear, const std::string& group) {
  return absl::StrCat(linear, ".", group, kSuffix);
}

std::map<std::string, std::string> OnlineTensorsByGroup(const CheckpointReader& tensors) {
  std::map<std::string, std::string> by_group;
  for (const auto& [name, entry] : tensors.tensors()) {
    absl::string_view module = name;
    if (!absl::ConsumeSuffix(&module, kSuffix)) continue;
    const size_t dot = module.rfind('.');
    if (dot != absl::string_view::npos) by_group.emplace(std::string(module.substr(dot + 1)), name);
  }
  return by_group;
}

}  // namespace heroq
