// Runs one Evaluate task for a Python oracle:
//
//   heroq-evaluate-probe MODEL_DIR CHECKPOINT_DIR IDS f32|bf16
//
// IDS is safetensors with "input_ids" int32 [sequences, length]. Prints predicted tokens and the sums of the
// original's and the checkpoint's negative log likelihoods and of the KL divergence.

#include <cstdio>
#include <string>

#include "common/blob/digest_proto.h"
#include "common/status/status_macros.h"
#include "tests/support/memory_blob_store.h"
#include "worker/agent/evaluate_task.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/loading/checkpoint_weights.h"

namespace heroq {
namespace {

absl::Status Run(const std::string& model, const std::string& checkpoint, const std::string& ids,
                 const std::string& type) {
  HEROQ_ASSIGN_OR_RETURN(const auto source,
                         CheckpointWeights::Open(FileSystem::Posix(), model, c10::Device(c10::kCPU)));
  HEROQ_ASSIGN_OR_RETURN(const std::string tokens, ReadFile(FileSystem::Posix(), ids));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor parsed, ParseTokens(tokens, source->layout().vocab_size, ids));
  MemoryBlobStore blobs;
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, blobs.Put(tokens, Durability::kVolatile));
  v1::EvaluateTask task;
  *task.mutable_tokens() = DigestToProto(digest);
  task.set_sequence_end(static_cast<int32_t>(parsed.size(0)));
  task.set_checkpoint_directory(checkpoint);
  v1::JobContext context;
  context.set_compute_type(type);
  context.set_micro_batch(2);
  HEROQ_ASSIGN_OR_RETURN(const v1::TaskResult result,
                         RunEvaluateTask(task, context, {FileSystem::Posix(), blobs, {}, {}}, *source));
  const v1::EvaluationResult& sums = result.evaluation();
  std::printf("%lld %.17g %.17g %.17g\n", static_cast<long long>(sums.token_count()), sums.original_nll_sum(),
              sums.quantized_nll_sum(), sums.kl_sum());
  return absl::OkStatus();
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: heroq-evaluate-probe MODEL_DIR CHECKPOINT_DIR IDS f32|bf16\n");
    return 2;
  }
  const absl::Status status = heroq::Run(argv[1], argv[2], argv[3], argv[4]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
