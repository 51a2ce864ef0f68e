#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Perplexity and KL divergence of the checkpoint directory of `task` against `original` on sequences
// [sequence_begin, sequence_end): both models run block by block over the same tokens, so at most one block
// of each is in memory. Every token but a sequence's first is predicted. Blocking.
absl::StatusOr<v1::TaskResult> RunEvaluateTask(const v1::EvaluateTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment,
                                               const WeightSource& original);

}  // namespace heroq
