#include "coordinator/planning/adapter_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/adapter_names.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/file_layout.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/planning/spec_violations.h"

namespace heroq {
namespace {

void AddTensor(const std::string& name, DType dtype, int64_t rows, int64_t columns, v1::PlannedUnit& unit) {
  v1::RewrittenTensor& tensor = *unit.add_tensors();
  tensor.set_name(name);
  tensor.set_dtype(std::string(ToString(dtype)));
  tensor.add_shape(rows);
  tensor.add_shape(columns);
}

std::string LastPart(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

bool HasBranches(const v1::MethodSpec& method) {
  return method.has_arhq() && method.arhq().branch() != v1::LOW_RANK_BRANCH_NONE;
}

absl::Status CheckBranches(const v1::MethodSpec& method, const std::vector<v1::PlannedUnit>& units) {
  SpecViolations violations;
  if (!HasBranches(method)) return violations.ToStatus();
  for (const v1::PlannedUnit& unit : units) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const int64_t most = std::min(linear.out_features(), linear.in_features());
      if (method.arhq().rank() > most) {
        violations.Add(
            "method.arhq.rank",
            absl::StrCat("is ", method.arhq().rank(), ", but ", linear.name(), " [", linear.out_features(),
                         ", ", linear.in_features(), "] has rank ", most, " at most"));
      }
      if (!ToQuantScheme(linear.scheme()).quantizes_activations()) {
        violations.Add("scheme.activation_bits",
                       absl::StrCat("leaves the activations of ", linear.name(),
                                    " as they are; method arhq is about what quantizing them loses"));
      }
    }
  }
  return violations.ToStatus();
}

absl::Status AddBranchTensors(const InspectedModel& model, const v1::MethodSpec& method,
                              std::vector<v1::PlannedUnit>& units) {
  if (!HasBranches(method)) return absl::OkStatus();
  const int64_t rank = method.arhq().rank();
  for (v1::PlannedUnit& unit : units) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry source,
                             model.tensors->Find(absl::StrCat(linear.name(), ".weight")));
      AddTensor(AdapterDownName(linear.name()), source.info.dtype, rank, linear.in_features(), unit);
      AddTensor(AdapterUpName(linear.name()), source.info.dtype, linear.out_features(), rank, unit);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::PlannedFile> PlanAdapterFile(const std::vector<v1::PlannedUnit>& units) {
  std::vector<TensorSpec> specs;
  std::map<std::string, int> unit_of;
  for (size_t unit = 0; unit < units.size(); ++unit) {
    std::set<std::string> names;
    for (const v1::PlannedLinear& linear : units[unit].linears()) {
      names.insert({AdapterDownName(linear.name()), AdapterUpName(linear.name())});
    }
    for (const v1::RewrittenTensor& tensor : units[unit].tensors()) {
      if (names.count(tensor.name()) == 0) continue;
      HEROQ_ASSIGN_OR_RETURN(specs.emplace_back(), SpecOf(tensor));
      unit_of[tensor.name()] = static_cast<int>(unit);
    }
  }
  return LayOutFile(kAdapterWeightsFile, std::move(specs),
                    [&](v1::PlannedTensor& tensor) { tensor.set_unit(unit_of.at(tensor.name())); });
}

bool IsAdapterFile(const v1::PlannedFile& file) { return file.name() == kAdapterWeightsFile; }

int ModelFileCount(const v1::Plan& plan) {
  return static_cast<int>(std::count_if(plan.files().begin(), plan.files().end(),
                                        [](const v1::PlannedFile& file) { return !IsAdapterFile(file); }));
}

std::string AdapterConfigJson(const v1::Plan& plan) {
  std::set<std::string> kept;
  for (const v1::KeptLinear& linear : plan.kept()) kept.insert(LastPart(linear.name()));
  std::set<std::string> modules;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const std::string last = LastPart(linear.name());
      modules.insert(kept.count(last) > 0 ? linear.name() : last);
    }
  }
  const int rank = plan.method().arhq().rank();
  nlohmann::ordered_json json;
  json["peft_type"] = "LORA";
  json["task_type"] = "CAUSAL_LM";
  json["base_model_name_or_path"] = nullptr;
  json["r"] = rank;
  json["lora_alpha"] = rank;
  json["lora_dropout"] = 0.0;
  json["bias"] = "none";
  json["fan_in_fan_out"] = false;
  json["use_rslora"] = false;
  json["modules_to_save"] = nullptr;
  json["target_modules"] = modules;
  json["inference_mode"] = true;
  return absl::StrCat(json.dump(2), "\n");
}

}  // namespace heroq
