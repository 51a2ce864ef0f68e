#include "coordinator/planning/adapter_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_writer.h"
#include "common/model/adapter_names.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
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
      const std::optional<DType> dtype = ParseDType(tensor.dtype());
      if (!dtype) {
        return MakeError(Reason::kInternal,
                         absl::StrCat("tensor ", tensor.name(), " is planned as ", tensor.dtype()));
      }
      specs.push_back({tensor.name(), *dtype, {tensor.shape().begin(), tensor.shape().end()}});
      unit_of[tensor.name()] = static_cast<int>(unit);
    }
  }
  HEROQ_ASSIGN_OR_RETURN(SafetensorsLayout layout, LayOutSafetensors(std::move(specs), {{"format", "pt"}}));
  v1::PlannedFile file;
  file.set_name(kAdapterWeightsFile);
  file.set_header(std::move(layout.header));
  for (const PlacedTensor& placed : layout.tensors) {
    v1::PlannedTensor& tensor = *file.add_tensors();
    tensor.set_name(placed.spec.name);
    tensor.set_dtype(std::string(ToString(placed.spec.dtype)));
    for (const int64_t dimension : placed.spec.shape) tensor.add_shape(dimension);
    tensor.set_begin(placed.begin);
    tensor.set_end(placed.end);
    tensor.set_unit(unit_of.at(placed.spec.name));
  }
  return file;
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
