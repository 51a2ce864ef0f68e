#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/hidden_state_cache.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Runs block `task.block` with its quantized weights over shards [shard_begin, shard_end) and stores the next
// block's hidden states: quantized propagation. Linears that no unit holds are dense. Blocking.
absl::StatusOr<v1::TaskResult> RunAdvanceTask(const v1::AdvanceTask& task, const v1::JobContext& context,
                                              const TaskEnvironment& environment, const WeightSource& source,
                                              HiddenStateCache& cache);

}  // namespace heroq
