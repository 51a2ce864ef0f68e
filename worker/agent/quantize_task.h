#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Runs the job's method on the linears of one unit with the statistics of their inputs; stores the "unit"
// blob. The errors of the report are measured on the linears read back from that blob. Gives outputs and
// linears; metrics are the caller's. Blocking. INTERNAL for a linear the model does not have; UNSUPPORTED for
// an unknown method; in a strict job NUMERICAL_FAILURE instead of a warning; errors of the method, of the
// blobs and of the weights pass through.
absl::StatusOr<v1::TaskResult> RunQuantizeTask(const v1::QuantizeTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment,
                                               const WeightSource& source);

}  // namespace heroq
