#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Runs the job's method on the linears of one unit with the statistics of their inputs; stores the "unit" blob. Blocking.
absl::StatusOr<v1::TaskResult> RunQuantizeTask(const v1::QuantizeTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment, WeightSource& source);

}  // namespace heroq
