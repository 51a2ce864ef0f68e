#pragma once

#include <vector>

#include "absl/status/status.h"
#include "coordinator/planning/model_inspection.h"
#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Output format "dense": what quantized weights stand for, in the type of the source's weights and not
// compressed, for research and for values that no packed format holds. Pure.

inline constexpr char kDenseFormat[] = "dense";

// Whether what a method gives lies on no grid, so that nothing but "dense" holds it; its default then.
bool NeedsDenseOutput(const v1::MethodSpec& method);

// Adds what cannot be published as `spec`, resolved, asks for, and what takes too long on this model: with
// hero_q.exact a rotation step of a linear costs the cube of its inputs, which may be 512 at most.
void CheckDenseOutput(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations);

// INVALID_SPEC when a method that fits offsets meets a grid that has none.
absl::Status CheckFreeOffsets(const v1::MethodSpec& method, const std::vector<v1::PlannedUnit>& units);

// Makes the weight of every quantized linear a dense tensor that its unit gives instead of codes.
absl::Status AddDenseWeights(const InspectedModel& model, std::vector<v1::PlannedUnit>& units);

// Whether a unit gives `linear` dense.
bool IsDense(const v1::PlannedUnit& unit, const std::string& linear);

// Whether nothing of the published model is compressed.
inline bool PublishesDense(const v1::Plan& plan) { return plan.quantization_config_json().empty(); }

}  // namespace heroq
