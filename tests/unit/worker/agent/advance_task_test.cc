#include "worker/agent/advance_task.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"
#include "tests/unit/worker/agent/task_fixture.h"
#include "worker/agent/tensor_blobs.h"

namespace heroq {
namespace {

class AdvanceTaskTest : public TaskTest {
 protected:
  // A "unit" blob with one linear whose every weight is `value`: 8 bits, one scale per row.
  v1::BlobDigest ConstantUnit(const LinearLayout& linear, float value) {
    const std::vector<uint8_t> codes(linear.out_features * linear.in_features, 129);
    const std::vector<int32_t> packed = PackRows(codes, linear.out_features, linear.in_features, 8);
    const std::vector<uint16_t> scales(linear.out_features, FloatToBf16(value));
    const auto bytes = [](const auto& values) {
      return absl::string_view(reinterpret_cast<const char*>(values.data()),
                               values.size() * sizeof(values[0]));
    };
    const std::string blob =
        SerializeSafetensors(
            {{{linear.name + ".codes", DType::kI32, {linear.out_features, linear.in_features / 4}},
              bytes(packed)},
             {{linear.name + ".scale", DType::kBf16, {linear.out_features, 1}}, bytes(scales)}})
            .value();
    return DigestToProto(blobs_.Put(blob, Durability::kDurable).value());
  }

  v1::AdvanceTask Advance(int begin, int end, const std::vector<v1::BlobDigest>& units) {
    v1::AdvanceTask task;
    task.set_shard_begin(begin);
    task.set_shard_end(end);
    *task.mutable_tokens() = tokens_;
    for (const v1::BlobDigest& unit : units) *task.add_units() = unit;
    return task;
  }

  absl::StatusOr<v1::TaskResult> Run(const v1::AdvanceTask& task) {
    HiddenStateCache cache(0);
    return RunAdvanceTask(task, context_, Environment(), *source_, cache);
  }
};

TEST_F(AdvanceTaskTest, LinearsInNoUnitAreDense) {
  HiddenStateCache cache(0);
  const v1::TaskResult captured = TaskTest::Run(Capture(0, 0, kShards), cache).value();
  const v1::TaskResult advanced = Run(Advance(0, kShards, {})).value();
  for (int shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(HiddenOf({advanced}, shard).sha256(), HiddenOf({captured}, shard).sha256());
  }
}

TEST_F(AdvanceTaskTest, QuantizedWeightsReplaceTheModels) {
  // With o_proj = 0.. and down_proj constant, every feature of a token receives the same update.
  const BlockLayout& block = source_->layout().blocks[0];
  const v1::TaskResult advanced =
      Run(Advance(2, 3, {ConstantUnit(block.linears[3], 0.25f), ConstantUnit(block.linears[6], 0.5f)}))
          .value();
  HiddenStateCache cache(0);
  const auto hidden =
      ParseHiddenStates(blobs_.Get(DigestFromProto(HiddenOf({advanced}, 2))).value(), "hidden").value();
  const auto tokens = ParseTokens(ReadFile(files_, "/tokens").value(), 100, "tokens").value();
  const at::Tensor embedded =
      source_->LoadRows("model.embed_tokens.weight", tokens.narrow(0, 4, 2), at::kFloat)
          .value()
          .view(hidden.sizes());
  const at::Tensor update = hidden.to(at::kFloat) - embedded;
  const at::Tensor spread = update.amax(-1) - update.amin(-1);
  // Two roundings to bfloat16 at the size of the sums.
  EXPECT_LE((spread / (update.abs().amax(-1) + 1)).max().item<float>(), 0.04f);
  EXPECT_GT(update.abs().max().item<float>(), 0.1f);
}

TEST_F(AdvanceTaskTest, BytesDoNotDependOnHowShardsAreGrouped) {
  const std::vector<v1::BlobDigest> units = {ConstantUnit(source_->layout().blocks[0].linears[5], 0.125f)};
  const v1::TaskResult whole = Run(Advance(0, kShards, units)).value();
  for (int shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(HiddenOf({Run(Advance(shard, shard + 1, units)).value()}, shard).sha256(),
              HiddenOf({whole}, shard).sha256());
  }
}

TEST_F(AdvanceTaskTest, AUnitOfAnotherBlockIsRefused) {
  const absl::Status status =
      Run(Advance(0, 1, {ConstantUnit(source_->layout().blocks[1].linears[3], 0.25f)})).status();
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << status;
}

}  // namespace
}  // namespace heroq
