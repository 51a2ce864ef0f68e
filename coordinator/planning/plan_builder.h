#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/planning/model_inspection.h"
#include "coordinator/planning/scheme_resolution.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// Parts of a plan that follow from a resolved spec and a model without reading data. Pure.

// Units of work: the attention and the MLP of each block, with their quantized linears; units without any are
// left out.
std::vector<v1::PlannedUnit> PlanUnits(const ModelLayout& layout, const ResolvedSchemes& schemes);

// Files of the published checkpoint in model order, complete with headers: per tensor of `layout` and per
// unused one of the source either itself, copied or rewritten, or for a quantized weight its packed parts,
// which share a file. `layout` is the published model's: the source's, or the same with a head of its own.
absl::StatusOr<std::vector<v1::PlannedFile>> PlanFiles(const InspectedModel& model, const ModelLayout& layout,
                                                       const std::vector<v1::PlannedUnit>& units,
                                                       int64_t max_shard_bytes);

}  // namespace heroq
