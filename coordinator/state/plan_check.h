#pragma once

#include "absl/status/status.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// OK for a plan whose task graph can be built: units of distinct (block, unit) with blocks from 0 to 9,999,
// at most 1,000,000 tasks, and tensors that name units of the plan. INTERNAL naming the field.
absl::Status CheckPlan(const v1::Plan& plan);

}  // namespace heroq
