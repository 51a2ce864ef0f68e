#pragma once

#include <vector>

#include "absl/status/status.h"
#include "coordinator/planning/model_inspection.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Whether a resolved method changes the bases of inputs, and so tensors besides the weights it quantizes.
bool ChangesBases(const v1::MethodSpec& method);

// Whether a resolved method rotates the residual stream of the whole model.
bool RotatesResidual(const v1::MethodSpec& method);

// Adds to the units of PlanUnits the dense tensors that a method's transforms change: the gain of the norm
// before a unit, biases of linears whose outputs change, weights of linears that stay dense, and rotations
// that are left to loaders. Nothing for transforms that are mapped back. A method that rotates the residual
// stream has a unit for every part of every block, and after them two outside the blocks: "embedding" and
// "head" (final norm and head). Types are the source's. Low-rank branches are added likewise
// (AddBranchTensors). Nothing for other methods. INTERNAL for a tensor the source does not have.
absl::Status AddRewrittenTensors(const InspectedModel& model, const v1::MethodSpec& method,
                                 std::vector<v1::PlannedUnit>& units);

}  // namespace heroq
