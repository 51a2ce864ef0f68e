#include "worker/agent/capture_task.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/model/shard_tree.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/shard_range_check.h"
#include "worker/agent/shard_runner.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/calibration/moment_tap.h"
#include "worker/calibration/shard_sum.h"
#include "worker/device/torch_status.h"
#include "worker/loading/block_loader.h"

namespace heroq {
namespace {

// One sum per distinct input.
using ShardSums = std::map<LinearInput, ShardSum>;

absl::Status AddShard(int64_t shard, int64_t shards, MomentTap& tap, ShardSums& sums) {
  return CatchTorch("second moments", [&]() -> absl::Status {
    for (auto& [input, statistics] : tap.TakePacked()) {
      ShardSum& sum = sums.try_emplace(input, shards).first->second;
      HEROQ_RETURN_IF_ERROR(sum.Push({{shard, shard + 1}, std::move(statistics)}));
    }
    return absl::OkStatus();
  });
}

absl::Status StoreNodes(LinearInput input, ShardSum& sum, BlobStore& blobs, v1::TaskResult& result) {
  for (const ShardSum::Node& node : sum.TakeNodes()) {
    HEROQ_ASSIGN_OR_RETURN(const Digest digest, PutStatistics(node.statistics, blobs));
    v1::StatisticsNode& out = *result.add_statistics();
    out.set_input(std::string(ToString(input)));
    out.set_shard_begin(static_cast<int32_t>(node.shards.begin));
    out.set_shard_end(static_cast<int32_t>(node.shards.end));
    *out.mutable_blob() = DigestToProto(digest);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::TaskResult> RunCaptureTask(const v1::CaptureTask& task, const v1::JobContext& context,
                                              const TaskEnvironment& environment, const WeightSource& source,
                                              HiddenStateCache& cache) {
  HEROQ_RETURN_IF_ERROR(CheckShardRange(task, context, source.layout()));
  HEROQ_ASSIGN_OR_RETURN(ShardRunner runner,
                         ShardRunner::Create(task.tokens(), context, environment, source, cache));
  HEROQ_ASSIGN_OR_RETURN(const DecoderBlock block, LoadBlock(source, task.block(), runner.dtype()));
  // Whoever captures the next block reads its weights from the page cache.
  if (task.block() + 1 < source.layout().block_count) WillLoadBlock(source, task.block() + 1);
  v1::TaskResult result;
  ShardSums sums;
  MomentTap tap(task.kept_tokens());
  for (int32_t shard = task.shard_begin(); shard < task.shard_end(); ++shard) {
    const int32_t index = shard - task.shard_begin();
    ReportProgress(environment, absl::StrCat("block ", task.block(), ", shard ", shard), index,
                   task.shard_end() - task.shard_begin());
    HEROQ_ASSIGN_OR_RETURN(
        const at::Tensor hidden,
        runner.Input(task.block(), shard, task.block() == 0 ? nullptr : &task.hidden_states(index)));
    tap.Begin(hidden.size(0) * hidden.size(1));
    absl::StatusOr<std::optional<at::Tensor>> output =
        runner.Run(block, hidden, &tap, task.emit_hidden_states());
    if (!output.ok())
      return Annotate(output.status(), absl::StrCat("block ", task.block(), ", shard ", shard));
    HEROQ_RETURN_IF_ERROR(AddShard(shard, context.shards(), tap, sums));
    if (*output) {
      HEROQ_ASSIGN_OR_RETURN(*result.add_outputs(), runner.Store(task.block(), shard, **output));
    }
    result.mutable_metrics()->set_tokens(result.metrics().tokens() + hidden.size(0) * hidden.size(1));
  }
  for (auto& [input, sum] : sums) HEROQ_RETURN_IF_ERROR(StoreNodes(input, sum, environment.blobs, result));
  return result;
}

}  // namespace heroq
