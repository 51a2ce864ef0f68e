#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "heroq/v1/scheduling.pb.h"
#include "worker/agent/hidden_state_cache.h"
#include "worker/agent/task_executor.h"
#include "worker/forward/decoder_block.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// "bf16" or "f32" of a JobContext. INVALID_SPEC otherwise.
absl::StatusOr<c10::ScalarType> ComputeType(const v1::JobContext& context);

// The token ids a blob holds, int64 [sequences, length].
absl::StatusOr<at::Tensor> ReadTokens(const v1::BlobDigest& tokens, const WeightSource& source,
                                      BlobStore& blobs);

// Runs one block over calibration shards: what Capture and Advance share. References outlive this.
// Thread-compatible.
class ShardRunner {
 public:
  // `tokens` is read only for a shard without hidden states. CANCELLED is noticed between micro-batches.
  static absl::StatusOr<ShardRunner> Create(const v1::BlobDigest& tokens, const v1::JobContext& context,
                                            const TaskEnvironment& environment, const WeightSource& source,
                                            HiddenStateCache& cache);

  // The input of block `block` for `shard`: embedded tokens for block 0, else `states`, from the cache or the
  // blob store. INTERNAL when its shape or type is not the job's.
  absl::StatusOr<at::Tensor> Input(int64_t block, int64_t shard, const v1::HiddenStates* states);

  // Runs `block` over `hidden` in micro-batches of the job's size. With `emit`, gives the block's output;
  // NUMERICAL_FAILURE when it holds NaN or Inf.
  absl::StatusOr<std::optional<at::Tensor>> Run(const DecoderBlock& block, const at::Tensor& hidden,
                                                ActivationTap* tap, bool emit);

  // Stores what `block` gave as "hidden/<shard>", in the cache as well.
  absl::StatusOr<v1::NamedBlob> Store(int64_t block, int64_t shard, const at::Tensor& hidden);

  c10::ScalarType dtype() const { return dtype_; }

 private:
  ShardRunner(const v1::BlobDigest& tokens, const v1::JobContext& context, const TaskEnvironment& environment,
              const WeightSource& source, HiddenStateCache& cache, c10::ScalarType dtype, RotaryTable rotary)
      : tokens_(tokens),
        context_(context),
        environment_(environment),
        source_(source),
        cache_(cache),
        dtype_(dtype),
        rotary_(std::move(rotary)) {}

  absl::StatusOr<at::Tensor> EmbedShard(int64_t shard);

  const v1::BlobDigest& tokens_;
  const v1::JobContext& context_;
  const TaskEnvironment& environment_;
  const WeightSource& source_;
  HiddenStateCache& cache_;
  const c10::ScalarType dtype_;
  const RotaryTable rotary_;
  std::optional<at::Tensor> token_ids_;
};

}  // namespace heroq
