#include "coordinator/planning/rewritten_tensors.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/adapter_plan.h"
#include "coordinator/planning/online_rotations.h"

namespace heroq {
namespace {

// Adds `name`, whose type and shape are those of `source`.
absl::Status Add(const InspectedModel& model, const std::string& name, const std::string& source,
                 v1::PlannedUnit& unit) {
  HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, model.tensors->Find(source));
  v1::RewrittenTensor& tensor = *unit.add_tensors();
  tensor.set_name(name);
  tensor.set_dtype(std::string(ToString(entry.info.dtype)));
  tensor.mutable_shape()->Assign(entry.info.shape.begin(), entry.info.shape.end());
  return absl::OkStatus();
}

// Whether a transform changes what the linear gives: what another linear of its unit reads, or the residual
// stream.
bool OutputChanges(LinearRole role, bool residual) {
  const bool inside = role == LinearRole::kValue || role == LinearRole::kUp;
  const bool writes = role == LinearRole::kOutput || role == LinearRole::kDown;
  return inside || (residual && writes);
}

bool IsQuantized(const v1::PlannedUnit& unit, const std::string& linear) {
  return std::any_of(unit.linears().begin(), unit.linears().end(),
                     [&](const v1::PlannedLinear& planned) { return planned.name() == linear; });
}

absl::Status AddTensorsOfUnit(const InspectedModel& model, const BlockLayout& block, UnitKind kind,
                              const v1::MethodSpec& method, v1::PlannedUnit& unit) {
  const bool residual = RotatesResidual(method);
  for (const LinearLayout& linear : block.linears) {
    if (linear.unit != kind) continue;
    const std::string weight = absl::StrCat(linear.name, ".weight");
    const std::string bias = absl::StrCat(linear.name, ".bias");
    if (!IsQuantized(unit, linear.name)) HEROQ_RETURN_IF_ERROR(Add(model, weight, weight, unit));
    if (linear.has_bias && OutputChanges(linear.role, residual)) {
      HEROQ_RETURN_IF_ERROR(Add(model, bias, bias, unit));
    }
  }
  if (RotatesOnline(method)) AddOnlineRotations(block, unit);
  const std::string& norm = block.NormOf(kind).name;
  return Add(model, norm, norm, unit);
}

}  // namespace

bool ChangesBases(const v1::MethodSpec& method) {
  return method.has_hero_q() || method.has_awq() || method.has_smoothquant();
}

bool RotatesResidual(const v1::MethodSpec& method) {
  // Of what auto tries, fused asks for most: that is what a plan shows before anything was tried.
  const v1::Transform transform = method.hero_q().transform();
  return method.has_hero_q() && (transform == v1::TRANSFORM_FUSED || transform == v1::TRANSFORM_AUTO);
}

absl::Status AddRewrittenTensors(const InspectedModel& model, const v1::MethodSpec& method,
                                 std::vector<v1::PlannedUnit>& units) {
  HEROQ_RETURN_IF_ERROR(AddBranchTensors(model, method, units));
  // What is mapped back touches nothing but its linear.
  const bool mapped_back = method.hero_q().transform() == v1::TRANSFORM_EVALUATION;
  if (!ChangesBases(method) || mapped_back) return absl::OkStatus();
  const bool residual = RotatesResidual(method);
  std::vector<v1::PlannedUnit> quantized = std::move(units);
  units.clear();
  auto next = quantized.begin();
  for (int block = 0; block < static_cast<int>(model.layout.blocks.size()); ++block) {
    for (const UnitKind kind : {UnitKind::kAttention, UnitKind::kMlp}) {
      v1::PlannedUnit unit;
      unit.set_block(block);
      unit.set_unit(std::string(ToString(kind)));
      if (next != quantized.end() && next->block() == block && next->unit() == unit.unit()) {
        unit = *next++;
      } else if (!residual) {
        continue;
      }
      HEROQ_RETURN_IF_ERROR(
          AddTensorsOfUnit(model, model.layout.blocks[static_cast<size_t>(block)], kind, method, unit));
      units.push_back(std::move(unit));
    }
  }
  if (!residual) return absl::OkStatus();
  const auto add_outside = [&](const std::string& name) -> v1::PlannedUnit& {
    v1::PlannedUnit& unit = units.emplace_back();
    unit.set_block(-1);
    unit.set_unit(name);
    return unit;
  };
  const ModelLayout& layout = model.layout;
  HEROQ_RETURN_IF_ERROR(Add(model, layout.embedding_name, layout.embedding_name, add_outside("embedding")));
  v1::PlannedUnit& head = add_outside("head");
  HEROQ_RETURN_IF_ERROR(Add(model, layout.final_norm_name, layout.final_norm_name, head));
  return Add(model, layout.own_head_name, layout.head_name, head);
}

}  // namespace heroq
