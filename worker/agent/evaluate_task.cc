#include "worker/agent/evaluate_task.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/shard_range_check.h"
#include "worker/agent/shard_runner.h"
#include "worker/device/torch_status.h"
#include "worker/evaluation/compare_logits.h"
#include "worker/loading/block_loader.h"
#include "worker/loading/checkpoint_weights.h"

namespace heroq {
namespace {

// Rows of logits in memory at a time, per model.
constexpr int64_t kLogitRows = 256;

// One of the two models on its way through the blocks.
struct Side {
  const WeightSource& source;
  RotaryTable rotary;
  at::Tensor hidden;  // [sequences, length, hidden]
};

absl::StatusOr<Side> StartSide(const WeightSource& source, const at::Tensor& ids, c10::ScalarType dtype) {
  HEROQ_ASSIGN_OR_RETURN(at::Tensor hidden, Embed(source, ids, dtype));
  return CatchTorch("rotary table", [&] {
    return Side{source, RotaryTable(source.layout(), ids.size(1), dtype, source.device()), std::move(hidden)};
  });
}

absl::Status Advance(Side& side, int64_t index, const v1::JobContext& context,
                     const TaskEnvironment& environment, c10::ScalarType dtype) {
  HEROQ_ASSIGN_OR_RETURN(const DecoderBlock block, LoadBlock(side.source, index, dtype));
  for (int64_t begin = 0; begin < side.hidden.size(0); begin += context.micro_batch()) {
    HEROQ_RETURN_IF_ERROR(environment.cancellation.Check());
    const int64_t size = std::min<int64_t>(context.micro_batch(), side.hidden.size(0) - begin);
    const at::Tensor part = side.hidden.narrow(0, begin, size);
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor output, block.Forward(part, side.rotary, nullptr));
    HEROQ_RETURN_IF_ERROR(CatchTorch("hidden states", [&] { part.copy_(output); }));
  }
  return absl::OkStatus();
}

absl::StatusOr<ComparisonSums> Compare(const Side& original, const Side& candidate, const at::Tensor& ids,
                                       const TaskEnvironment& environment, c10::ScalarType dtype) {
  HEROQ_ASSIGN_OR_RETURN(const OutputHead original_head, LoadOutputHead(original.source, dtype));
  HEROQ_ASSIGN_OR_RETURN(OutputHead candidate_head, LoadOutputHead(candidate.source, dtype));
  candidate_head.ShareWeight(original_head);
  ComparisonSums sums;
  const int64_t length = ids.size(1);
  for (int64_t sequence = 0; sequence < ids.size(0); ++sequence) {
    // The last position predicts a token that is not there.
    for (int64_t row = 0; row + 1 < length; row += kLogitRows) {
      HEROQ_RETURN_IF_ERROR(environment.cancellation.Check());
      const int64_t rows = std::min(kLogitRows, length - 1 - row);
      const auto logits = [&](const OutputHead& head, const Side& side) {
        return head.Logits(side.hidden[sequence].narrow(0, row, rows));
      };
      HEROQ_ASSIGN_OR_RETURN(const at::Tensor original_logits, logits(original_head, original));
      HEROQ_ASSIGN_OR_RETURN(const at::Tensor candidate_logits, logits(candidate_head, candidate));
      HEROQ_ASSIGN_OR_RETURN(const ComparisonSums part, CatchTorch("compare logits", [&] {
                               const at::Tensor targets = ids[sequence].narrow(0, row + 1, rows);
                               return CompareLogits(original_logits, candidate_logits,
                                                    targets.to(original_logits.device()));
                             }));
      sums += part;
    }
  }
  return sums;
}

absl::Status CheckSameModel(const ModelLayout& original, const ModelLayout& candidate,
                            const std::string& directory) {
  if (original.vocab_size == candidate.vocab_size && original.block_count == candidate.block_count &&
      original.hidden_size == candidate.hidden_size) {
    return absl::OkStatus();
  }
  return MakeError(Reason::kModelInvalid,
                   absl::StrCat(directory, ": vocabulary, blocks and hidden size are ", candidate.vocab_size,
                                ", ", candidate.block_count, ", ", candidate.hidden_size,
                                ", expected those of the original: ", original.vocab_size, ", ",
                                original.block_count, ", ", original.hidden_size));
}

v1::EvaluationResult ToProto(const ComparisonSums& sums) {
  v1::EvaluationResult result;
  result.set_token_count(sums.token_count);
  result.set_original_nll_sum(sums.original_nll);
  result.set_quantized_nll_sum(sums.candidate_nll);
  result.set_kl_sum(sums.kl);
  return result;
}

}  // namespace

absl::StatusOr<v1::TaskResult> RunEvaluateTask(const v1::EvaluateTask& task, const v1::JobContext& context,
                                               const TaskEnvironment& environment,
                                               const WeightSource& original) {
  HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType dtype, ComputeType(context));
  HEROQ_ASSIGN_OR_RETURN(
      const std::unique_ptr<CheckpointWeights> candidate,
      CheckpointWeights::Open(environment.files, task.checkpoint_directory(), original.device()));
  HEROQ_RETURN_IF_ERROR(CheckSameModel(original.layout(), candidate->layout(), task.checkpoint_directory()));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor tokens, ReadTokens(task.tokens(), original, environment.blobs));
  const int64_t count = task.sequence_end() - task.sequence_begin();
  if (task.sequence_begin() < 0 || count < 1 || task.sequence_end() > tokens.size(0) ||
      context.micro_batch() < 1) {
    return MakeError(Reason::kInternal, absl::StrCat("evaluation of sequences ", task.sequence_begin(),
                                                     " to ", task.sequence_end(), " of ", tokens.size(0),
                                                     " with micro_batch ", context.micro_batch()));
  }
  const at::Tensor ids = tokens.narrow(0, task.sequence_begin(), count);
  HEROQ_ASSIGN_OR_RETURN(Side left, StartSide(original, ids, dtype));
  HEROQ_ASSIGN_OR_RETURN(Side right, StartSide(*candidate, ids, dtype));
  const int64_t blocks = original.layout().block_count;
  for (int64_t block = 0; block < blocks; ++block) {
    ReportProgress(environment, absl::StrCat("evaluate block ", block), block, blocks + 1);
    HEROQ_RETURN_IF_ERROR(Advance(left, block, context, environment, dtype));
    HEROQ_RETURN_IF_ERROR(Advance(right, block, context, environment, dtype));
  }
  ReportProgress(environment, "compare predictions", blocks, blocks + 1);
  HEROQ_ASSIGN_OR_RETURN(const ComparisonSums sums, Compare(left, right, ids, environment, dtype));
  v1::TaskResult result;
  *result.mutable_evaluation() = ToProto(sums);
  result.mutable_metrics()->set_tokens(sums.token_count);
  return result;
}

}  // namespace heroq
