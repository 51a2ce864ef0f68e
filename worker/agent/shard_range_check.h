#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/model/model_layout.h"
#include "common/status/error_reason.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/task_executor.h"

namespace heroq {

// A Capture or Advance task names a block of the model, shards of the job and, past block 0, one set of
// hidden states per shard. INTERNAL otherwise.
template <typename Task>
absl::Status CheckShardRange(const Task& task, const v1::JobContext& context, const ModelLayout& layout) {
  const int64_t count = task.shard_end() - task.shard_begin();
  const bool block_ok = task.block() >= 0 && task.block() < layout.block_count;
  const bool shards_ok = task.shard_begin() >= 0 && count > 0 && task.shard_end() <= context.shards();
  const bool states_ok = task.block() == 0 || task.hidden_states_size() == count;
  if (block_ok && shards_ok && states_ok) return absl::OkStatus();
  return MakeError(Reason::kInternal,
                   absl::StrCat("task for block ", task.block(), " of ", layout.block_count, ", shards ",
                                task.shard_begin(), " to ", task.shard_end(), " of ", context.shards(),
                                " with ", task.hidden_states_size(), " hidden states"));
}

// Tells whoever listens that item `done` of `total` begins.
inline void ReportProgress(const TaskEnvironment& environment, const std::string& activity, int64_t done,
                           int64_t total) {
  if (environment.progress)
    environment.progress(activity, static_cast<double>(done) / static_cast<double>(total));
}

}  // namespace heroq
