#pragma once

#include <nlohmann/json.hpp>

#include "common/model/model_layout.h"
#include "coordinator/planning/spec_violations.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Rotations of linear inputs that are left to loaders (numerics: transform `online`). Pure.

// Whether a resolved method has any.
bool RotatesOnline(const v1::MethodSpec& method);

// Adds why no loader could apply those of `spec` to this model.
void CheckOnlineRotations(const v1::JobSpec& spec, const ModelLayout& layout, SpecViolations& violations);

// Adds to a unit the matrix of every distinct input of its quantized linears: float32 [b, b], sqrt(b) R.
void AddOnlineRotations(const BlockLayout& block, v1::PlannedUnit& unit);

// `transform_config` of the published quantization_config: one group per distinct input. Empty where nothing
// is rotated.
nlohmann::ordered_json TransformConfig(const v1::Plan& plan);

}  // namespace heroq
