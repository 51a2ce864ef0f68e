#include "coordinator/planning/dense_output.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/online_rotations.h"

namespace heroq {
namespace {

constexpr int64_t kMaxExactInputs = 512;

}  // namespace

bool NeedsDenseOutput(const v1::MethodSpec& method) {
  return method.hero_q().transform() == v1::TRANSFORM_EVALUATION || method.dash_q().float_offset();
}

absl::Status CheckFreeOffsets(const v1::MethodSpec& method, const std::vector<v1::PlannedUnit>& units) {
  if (!method.dash_q().float_offset()) return absl::OkStatus();
  SpecViolations violations;
  for (const v1::PlannedUnit& unit : units) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      if (!linear.scheme().symmetric()) continue;
      violations.Add("method.dash_q.float_offset",
                     absl::StrCat("is set, but ", linear.name(),
                                  " has a symmetric grid, which has no offset; expected scheme.symmetry "
                                  "SYMMETRY_ASYMMETRIC (--symmetric off)"));
    }
  }
  return violations.ToStatus();
}

void CheckDenseOutput(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations) {
  const bool dense = spec.output().format() == kDenseFormat;
  const v1::HeroQParameters& hero_q = spec.method().hero_q();
  if (dense && RotatesOnline(spec.method())) {
    violations.Add("output.format",
                   "is dense, but rotations of method.hero_q.transform online are described in the "
                   "configuration of a compressed checkpoint; expected compressed-tensors");
  }
  if (!dense && NeedsDenseOutput(spec.method())) {
    violations.Add("output.format", absl::StrCat("is ", spec.output().format(),
                                                 ", but what the method gives lies on no grid that a packed "
                                                 "format holds; expected dense"));
  }
  if (hero_q.transform() == v1::TRANSFORM_EVALUATION && hero_q.has_awq()) {
    violations.Add(
        "method.hero_q.awq",
        "is set, but its scales have nowhere to go with transform evaluation; expected gptq or rtn");
  }
  if (!hero_q.exact()) return;
  for (const BlockLayout& block : layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      if (linear.in_features <= kMaxExactInputs) continue;
      violations.Add("method.hero_q.exact",
                     absl::StrCat("is set, but ", linear.name, " has ", linear.in_features,
                                  " inputs; a dense rotation is learned for at most ", kMaxExactInputs));
    }
  }
}

absl::Status AddDenseWeights(const InspectedModel& model, std::vector<v1::PlannedUnit>& units) {
  for (v1::PlannedUnit& unit : units) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const std::string name = absl::StrCat(linear.name(), ".weight");
      HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry entry, model.tensors->Find(name));
      v1::RewrittenTensor& tensor = *unit.add_tensors();
      tensor.set_name(name);
      tensor.set_dtype(std::string(ToString(entry.info.dtype)));
      tensor.mutable_shape()->Assign(entry.info.shape.begin(), entry.info.shape.end());
    }
  }
  return absl::OkStatus();
}

bool IsDense(const v1::PlannedUnit& unit, const std::string& linear) {
  const std::string weight = absl::StrCat(linear, ".weight");
  return std::any_of(unit.tensors().begin(), unit.tensors().end(),
                     [&](const v1::RewrittenTensor& tensor) { return tensor.name() == weight; });
}

}  // namespace heroq
