#include "worker/agent/advance_task.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/model/online_rotation.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/shard_range_check.h"
#include "worker/agent/shard_runner.h"
#include "worker/agent/stored_tensors.h"
#include "worker/agent/unit_blob_reader.h"
#include "worker/loading/block_loader.h"
#include "worker/loading/dequantize.h"

namespace heroq {
namespace {

// What the units of the block hold, by tensor name.
absl::StatusOr<std::map<std::string, at::Tensor>> UnitTensors(const v1::AdvanceTask& task, BlobStore& blobs,
                                                              const WeightSource& source,
                                                              c10::ScalarType dtype) {
  std::map<std::string, at::Tensor> tensors;
  const BlockLayout& layout = source.layout().blocks[static_cast<size_t>(task.block())];
  for (const v1::BlobDigest& unit : task.units()) {
    HEROQ_ASSIGN_OR_RETURN(const std::string bytes, blobs.Get(DigestFromProto(unit)));
    HEROQ_ASSIGN_OR_RETURN(const UnitBlob read,
                           ReadUnitBlob(bytes, layout, absl::StrCat("unit ", unit.sha256())));
    for (const QuantizedLinear& linear : read.linears) {
      HEROQ_ASSIGN_OR_RETURN(tensors[absl::StrCat(linear.name, ".weight")],
                             DequantizeTo(linear, dtype, source.device()));
    }
    for (const StoredTensor& tensor : read.tensors) {
      HEROQ_ASSIGN_OR_RETURN(const at::Tensor stored, TensorOf(tensor));
      // Loaders do not round a rotation to the compute type.
      const bool rotation = IsOnlineTensor(layout, tensor.spec.name);
      tensors[tensor.spec.name] = rotation ? stored.to(source.device()) : stored.to(source.device(), dtype);
    }
  }
  return tensors;
}

}  // namespace

absl::StatusOr<v1::TaskResult> RunAdvanceTask(const v1::AdvanceTask& task, const v1::JobContext& context,
                                              const TaskEnvironment& environment, const WeightSource& source,
                                              HiddenStateCache& cache) {
  HEROQ_RETURN_IF_ERROR(CheckShardRange(task, context, source.layout()));
  HEROQ_ASSIGN_OR_RETURN(ShardRunner runner,
                         ShardRunner::Create(task.tokens(), context, environment, source, cache));
  HEROQ_ASSIGN_OR_RETURN(const auto replaced, UnitTensors(task, environment.blobs, source, runner.dtype()));
  HEROQ_ASSIGN_OR_RETURN(const DecoderBlock block, LoadBlock(source, task.block(), runner.dtype(), replaced));
  v1::TaskResult result;
  for (int32_t shard = task.shard_begin(); shard < task.shard_end(); ++shard) {
    const int32_t index = shard - task.shard_begin();
    ReportProgress(environment, absl::StrCat("advance block ", task.block(), ", shard ", shard), index,
                   task.shard_end() - task.shard_begin());
    HEROQ_ASSIGN_OR_RETURN(
        const at::Tensor hidden,
        runner.Input(task.block(), shard, task.block() == 0 ? nullptr : &task.hidden_states(index)));
    absl::StatusOr<std::optional<at::Tensor>> output = runner.Run(block, hidden, nullptr, /*emit=*/true);
    if (!output.ok())
      return Annotate(output.status(), absl::StrCat("block ", task.block(), ", shard ", shard));
    HEROQ_ASSIGN_OR_RETURN(*result.add_outputs(), runner.Store(task.block(), shard, **output));
    result.mutable_metrics()->set_tokens(result.metrics().tokens() + hidden.size(0) * hidden.size(1));
  }
  return result;
}

}  // namespace heroq
