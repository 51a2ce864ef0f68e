#include "worker/agent/shard_runner.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/blob/digest_proto.h"
#include "common/model/shard_tree.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/calibration/moment_tap.h"
#include "worker/device/torch_status.h"
#include "worker/loading/block_loader.h"

namespace heroq {

absl::StatusOr<c10::ScalarType> ComputeType(const v1::JobContext& context) {
  if (context.compute_type() == "bf16") return at::kBFloat16;
  if (context.compute_type() == "f32") return at::kFloat;
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("compute_type is '", context.compute_type(), "', expected bf16 or f32"));
}

absl::StatusOr<at::Tensor> ReadTokens(const v1::BlobDigest& tokens, const WeightSource& source,
                                      BlobStore& blobs) {
  HEROQ_ASSIGN_OR_RETURN(const std::string bytes, blobs.Get(DigestFromProto(tokens)));
  return ParseTokens(bytes, source.layout().vocab_size, absl::StrCat("tokens ", tokens.sha256()));
}

absl::StatusOr<ShardRunner> ShardRunner::Create(const v1::BlobDigest& tokens, const v1::JobContext& context,
                                                const TaskEnvironment& environment,
                                                const WeightSource& source, HiddenStateCache& cache) {
  HEROQ_ASSIGN_OR_RETURN(const c10::ScalarType dtype, ComputeType(context));
  if (context.micro_batch() < 1 || context.shards() < 1 || context.sequence_length() < 1) {
    return MakeError(Reason::kInternal,
                     "job context: micro_batch, shards and sequence_length must be positive");
  }
  return CatchTorch("rotary table", [&] {
    RotaryTable rotary(source.layout(), context.sequence_length(), dtype, source.device());
    return ShardRunner(tokens, context, environment, source, cache, dtype, std::move(rotary));
  });
}

absl::StatusOr<at::Tensor> ShardRunner::EmbedShard(int64_t shard) {
  if (!token_ids_) {
    HEROQ_ASSIGN_OR_RETURN(token_ids_, ReadTokens(tokens_, source_, environment_.blobs));
    if (token_ids_->size(0) != context_.sequence_count() ||
        token_ids_->size(1) != context_.sequence_length()) {
      return MakeError(
          Reason::kInternal,
          absl::StrCat("tokens have shape [", absl::StrJoin(token_ids_->sizes(), ", "), "], expected [",
                       context_.sequence_count(), ", ", context_.sequence_length(), "]"));
    }
  }
  const ShardRange sequences = SequencesOfShard(shard, context_.shards(), context_.sequence_count());
  return Embed(source_, token_ids_->narrow(0, sequences.begin, sequences.size()), dtype_);
}

absl::StatusOr<at::Tensor> ShardRunner::Input(int64_t block, int64_t shard, const v1::HiddenStates* states) {
  if (block == 0) return EmbedShard(shard);
  if (states == nullptr || states->shard() != shard) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("block ", block, ": no hidden states for shard ", shard));
  }
  const Digest digest = DigestFromProto(states->blob());
  if (std::optional<at::Tensor> cached = cache_.Take(block - 1, digest)) return *std::move(cached);
  HEROQ_ASSIGN_OR_RETURN(std::string bytes, environment_.blobs.Get(digest));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor hidden,
                         ParseHiddenStates(std::move(bytes), absl::StrCat("hidden states ", digest.sha256)));
  const ShardRange sequences = SequencesOfShard(shard, context_.shards(), context_.sequence_count());
  const bool fits = hidden.scalar_type() == dtype_ && hidden.size(0) == sequences.size() &&
                    hidden.size(1) == context_.sequence_length() &&
                    hidden.size(2) == source_.layout().hidden_size;
  if (!fits) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("hidden states ", digest.sha256, " of shard ", shard, " have shape [",
                                  absl::StrJoin(hidden.sizes(), ", "), "] or a type that is not the job's"));
  }
  return CatchTorch("hidden states to device", [&] { return hidden.to(source_.device()); });
}

absl::StatusOr<std::optional<at::Tensor>> ShardRunner::Run(const DecoderBlock& block,
                                                           const at::Tensor& hidden, ActivationTap* tap,
                                                           bool emit) {
  std::optional<at::Tensor> output;
  if (emit) {
    HEROQ_ASSIGN_OR_RETURN(output, CatchTorch("hidden states", [&] { return at::empty_like(hidden); }));
  }
  for (int64_t begin = 0; begin < hidden.size(0); begin += context_.micro_batch()) {
    HEROQ_RETURN_IF_ERROR(environment_.cancellation.Check());
    const int64_t size = std::min<int64_t>(context_.micro_batch(), hidden.size(0) - begin);
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor part, block.Forward(hidden.narrow(0, begin, size), rotary_, tap));
    if (emit)
      HEROQ_RETURN_IF_ERROR(CatchTorch("hidden states", [&] { output->narrow(0, begin, size).copy_(part); }));
  }
  if (emit) {
    HEROQ_RETURN_IF_ERROR(CatchTorch("hidden states", [&] { return CheckFinite(*output, "output"); }));
  }
  return output;
}

absl::StatusOr<v1::NamedBlob> ShardRunner::Store(int64_t block, int64_t shard, const at::Tensor& hidden) {
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, PutHiddenStates(hidden, environment_.blobs));
  cache_.Put(block, digest, hidden);
  v1::NamedBlob output;
  output.set_name(absl::StrCat("hidden/", shard));
  *output.mutable_digest() = DigestToProto(digest);
  return output;
}

}  // namespace heroq
