#include "coordinator/planning/online_rotations.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/online_rotation.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

struct Readers {
  int64_t in_features = 0;
  std::vector<std::string> linears;
};

std::map<LinearInput, Readers> ReadersOf(const v1::PlannedUnit& unit) {
  std::map<LinearInput, Readers> readers;
  for (const v1::PlannedLinear& linear : unit.linears()) {
    const std::optional<LinearInput> input = ParseLinearInput(linear.input());
    if (!input.has_value()) continue;
    readers[*input].in_features = linear.in_features();
    readers[*input].linears.push_back(linear.name());
  }
  return readers;
}

}  // namespace

bool RotatesOnline(const v1::MethodSpec& method) {
  return method.has_hero_q() && method.hero_q().transform() == v1::TRANSFORM_ONLINE &&
         method.hero_q().rotation() != v1::ROTATION_NONE;
}

void CheckOnlineRotations(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations) {
  if (!RotatesOnline(spec.method())) return;
  if (spec.target_tensor_parallel() > 1) {
    violations.Add("target_tensor_parallel",
                   absl::StrCat("is ", spec.target_tensor_parallel(),
                                ", but no loader splits the rotations of method.hero_q.transform online over "
                                "devices, expected 1"));
  }
  if (spec.method().hero_q().has_awq()) {
    violations.Add("method.hero_q.awq",
                   "is set, but scales behind the rotations of transform online have nowhere to go; expected "
                   "gptq or rtn");
  }
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      if (linear.has_bias) {
        violations.Add("method.hero_q.transform", absl::StrCat("is online, but ", linear.name,
                                                               " has a bias, with which vLLM does not apply "
                                                               "rotations; expected fused or none"));
      } else if (OnlineRotationSize(linear.in_features) == 1) {
        violations.Add("method.hero_q.transform",
                       absl::StrCat("is online, but no power of two divides the ", linear.in_features,
                                    " inputs of ", linear.name, "; expected fused or none"));
      }
    }
  }
}

void AddOnlineRotations(const BlockLayout& block, v1::PlannedUnit& unit) {
  for (const auto& [input, readers] : ReadersOf(unit)) {
    const int64_t size = OnlineRotationSize(readers.in_features);
    v1::RewrittenTensor& tensor = *unit.add_tensors();
    tensor.set_name(OnlineTensor(block, input));
    tensor.set_dtype("F32");
    tensor.add_shape(size);
    tensor.add_shape(size);
  }
}

Json TransformConfig(const v1::Plan& plan) {
  Json groups = Json::object();
  if (!RotatesOnline(plan.method())) return groups;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const auto& [input, readers] : ReadersOf(unit)) {
      Json apply;
      apply["targets"] = readers.linears;
      apply["location"] = "input";
      apply["inverse"] = false;
      apply["ignore"] = Json::array();
      Json& group = groups[OnlineGroup(absl::StrCat(unit.block()), input)];
      group["type"] = "random-hadamard";
      group["apply"] = Json::array({std::move(apply)});
      group["randomize"] = false;
      group["requires_grad"] = false;
      group["head_dim"] = OnlineRotationSize(readers.in_features);
      group["precision"] = "torch.float32";
    }
  }
  Json config;
  config["config_groups"] = std::move(groups);
  return config;
}

}  // namespace heroq
