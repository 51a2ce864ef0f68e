#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/blob/digest_proto.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"
#include "worker/agent/capture_task.h"
#include "worker/agent/task_executor.h"
#include "worker/loading/checkpoint_weights.h"

namespace heroq {

// A tiny model, its calibration tokens and an empty blob store. 11 sequences in 5 shards: shards of 2 and 3
// sequences, micro- batches of 2, so that the last one of a shard may be short.
class TaskTest : public ::testing::Test {
 protected:
  static constexpr int kSequences = 11;
  static constexpr int kLength = 24;
  static constexpr int kShards = 5;

  TaskTest() {
    WriteTinyModel(files_, "/model");
    WriteTokens(files_, "/tokens", kSequences, kLength, 100);
    tokens_ = DigestToProto(blobs_.Put(ReadFile(files_, "/tokens").value(), Durability::kDurable).value());
    source_ = OpenModel("/model");
    context_.set_job_id("job");
    context_.set_model_directory("/model");
    context_.set_compute_type("bf16");
    context_.set_threads(1);
    context_.set_micro_batch(2);
    context_.set_sequence_length(kLength);
    context_.set_sequence_count(kSequences);
    context_.set_shards(kShards);
  }

  std::unique_ptr<WeightSource> OpenModel(const std::string& directory) {
    return CheckpointWeights::Open(files_, directory, c10::Device(c10::kCPU)).value();
  }

  TaskEnvironment Environment() { return {files_, blobs_, cancellation_, {}}; }

  // `previous`: the results of the block before, which hold hidden states of at least these shards.
  v1::CaptureTask Capture(int block, int begin, int end, const std::vector<v1::TaskResult>& previous = {}) {
    v1::CaptureTask task;
    task.set_block(block);
    task.set_shard_begin(begin);
    task.set_shard_end(end);
    *task.mutable_tokens() = tokens_;
    task.set_emit_hidden_states(true);
    for (int shard = begin; block > 0 && shard < end; ++shard) {
      v1::HiddenStates& states = *task.add_hidden_states();
      states.set_shard(shard);
      *states.mutable_blob() = HiddenOf(previous, shard);
    }
    return task;
  }

  static v1::BlobDigest HiddenOf(const std::vector<v1::TaskResult>& results, int shard) {
    for (const v1::TaskResult& result : results) {
      for (const v1::NamedBlob& output : result.outputs()) {
        if (output.name() == "hidden/" + std::to_string(shard)) return output.digest();
      }
    }
    ADD_FAILURE() << "no hidden states of shard " << shard;
    return {};
  }

  absl::StatusOr<v1::TaskResult> Run(const v1::CaptureTask& task, HiddenStateCache& cache) {
    return RunCaptureTask(task, context_, Environment(), *source_, cache);
  }

  MemoryFileSystem files_;
  MemoryBlobStore blobs_;
  Cancellation cancellation_;
  v1::BlobDigest tokens_;
  v1::JobContext context_;
  std::unique_ptr<WeightSource> source_;
};

}  // namespace heroq
