#pragma once

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/hidden_state_cache.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// Runs block `task.block` over shards [shard_begin, shard_end): stores the second moments of its distinct
// inputs as the canonical nodes of these shards, and the next block's hidden states where asked. The bytes
// for a shard do not depend on which shards are run together. Errors name block, shard and input. Blocking.
absl::StatusOr<v1::TaskResult> RunCaptureTask(const v1::CaptureTask& task, const v1::JobContext& context,
                                              const TaskEnvironment& environment, const WeightSource& source,
                                              HiddenStateCache& cache);

}  // namespace heroq
