#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/planning/model_inspection.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Low-rank branches beside quantized linears (method arhq), published as a LoRA adapter in the layout of
// peft. Pure.

// Whether a resolved method splits branches off.
bool HasBranches(const v1::MethodSpec& method);

// INVALID_SPEC listing what branches of `units` cannot be: of a rank larger than a linear's, or beside a
// linear whose activations are not quantized, which leave no residual.
absl::Status CheckBranches(const v1::MethodSpec& method, const std::vector<v1::PlannedUnit>& units);

// Adds the tensors of each linear's branch to its unit, in the type of the source's weight.
absl::Status AddBranchTensors(const InspectedModel& model, const v1::MethodSpec& method,
                              std::vector<v1::PlannedUnit>& units);

// The file of those tensors, kAdapterWeightsFile.
absl::StatusOr<v1::PlannedFile> PlanAdapterFile(const std::vector<v1::PlannedUnit>& units);
bool IsAdapterFile(const v1::PlannedFile& file);
// Planned files but that one.
int ModelFileCount(const v1::Plan& plan);

// kAdapterConfigFile, with a final line break. Scaling is 1: lora_alpha is the rank. Modules are named by
// their last part where every one of that name has a branch, in full elsewhere.
std::string AdapterConfigJson(const v1::Plan& plan);

}  // namespace heroq
