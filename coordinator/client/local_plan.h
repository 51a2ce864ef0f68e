#pragma once

#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "coordinator/planning/planner.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// Plans a job of local paths in this process, texts included, without any other process and leaving nothing
// behind: everything a coordinator would refuse is refused here, with everything that is wrong. Without
// `spec.output.location` the plan is that of a directory that can be published. Blocking.
absl::StatusOr<InspectedJob> PlanLocally(FileSystem& files, v1::JobSpec spec);

}  // namespace heroq
