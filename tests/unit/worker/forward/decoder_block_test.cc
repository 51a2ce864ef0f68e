#include "worker/forward/decoder_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "common/status/error_reason.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

constexpr int64_t kHidden = 96;
constexpr int64_t kIntermediate = 160;
constexpr int64_t kHeadDim = 16;

ModelLayout Layout() {
  ModelLayout layout;
  layout.head_dim = kHeadDim;
  layout.max_positions = 512;
  layout.norm_epsilon = 1e-5;
  return layout;
}

BlockWeights Weights(c10::ScalarType dtype) {
  const auto linear = [&](int64_t out, int64_t in) {
    return LinearWeights{(at::randn({out, in}) * 0.1).to(dtype), at::Tensor()};
  };
  BlockWeights weights;
  weights.attention_norm = (at::rand({kHidden}) + 0.5).to(dtype);
  weights.mlp_norm = (at::rand({kHidden}) + 0.5).to(dtype);
  weights.query = linear(6 * kHeadDim, kHidden);
  weights.key = linear(2 * kHeadDim, kHidden);
  weights.value = linear(2 * kHeadDim, kHidden);
  weights.output = linear(kHidden, 6 * kHeadDim);
  weights.gate = linear(kIntermediate, kHidden);
  weights.up = linear(kIntermediate, kHidden);
  weights.down = linear(kHidden, kIntermediate);
  return weights;
}

DecoderBlock Block(c10::ScalarType dtype) { return DecoderBlock(Layout(), Weights(dtype)); }

RotaryTable Rotary(int64_t length, c10::ScalarType dtype) {
  return RotaryTable(Layout(), length, dtype, c10::Device(c10::kCPU));
}

class RecordingTap final : public ActivationTap {
 public:
  absl::Status Observe(LinearInput input, const at::Tensor& rows) override {
    inputs.push_back(input);
    shapes.push_back(rows.sizes().vec());
    this->rows[input] = rows.clone();
    return inputs.size() == fail_at ? MakeError(Reason::kNumericalFailure, "enough") : absl::OkStatus();
  }
  void ObserveOutput(LinearInput input, LinearRole role, const at::Tensor& values) override {
    outputs[role] = {input, values.clone()};
  }
  std::vector<LinearInput> inputs;
  std::map<LinearInput, at::Tensor> rows;
  std::map<LinearRole, std::pair<LinearInput, at::Tensor>> outputs;
  std::vector<std::vector<int64_t>> shapes;
  size_t fail_at = 0;
};

// The property that lets a job cut its sequences into any shards and micro-batches.
// [b, b], orthogonal: a turn of the first two channels.
at::Tensor Turn(int64_t size, double angle) {
  at::Tensor turn = at::eye(size, at::kDouble);
  turn[0][0] = turn[1][1] = std::cos(angle);
  turn[0][1] = std::sin(angle);
  turn[1][0] = -std::sin(angle);
  return turn;
}

TEST(DecoderBlockTest, RotatedInputsAreUndoneByWeightsThatAreRotatedToo) {
  at::manual_seed(4);
  BlockWeights weights = Weights(at::kDouble);
  const at::Tensor hidden = at::randn({2, 9, kHidden}, at::kDouble);
  const at::Tensor expected =
      *DecoderBlock(Layout(), weights).Forward(hidden, Rotary(9, at::kDouble), nullptr);
  double angle = 0.3;
  const auto rotate = [&](LinearInput input, const std::vector<LinearWeights*>& readers) {
    const at::Tensor turn = Turn(8, angle += 0.4);
    weights.rotations[input] = turn;
    for (LinearWeights* reader : readers) {
      const at::Tensor blocks = reader->weight.view({reader->weight.size(0), -1, 8});
      reader->weight = at::matmul(blocks, turn).view(reader->weight.sizes());
    }
  };
  rotate(LinearInput::kAttentionIn, {&weights.query, &weights.key, &weights.value});
  rotate(LinearInput::kAttentionOut, {&weights.output});
  rotate(LinearInput::kMlpIn, {&weights.gate, &weights.up});
  rotate(LinearInput::kMlpOut, {&weights.down});
  RecordingTap tap;
  const at::Tensor found = *DecoderBlock(Layout(), weights).Forward(hidden, Rotary(9, at::kDouble), &tap);
  EXPECT_LT((found - expected).norm().item<double>(), 1e-12 * expected.norm().item<double>());
  EXPECT_EQ(tap.inputs.size(), 4u);
}

TEST(DecoderBlockTest, SequencesComeOutTheSameWhateverTheyAreBatchedWith) {
  for (const c10::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const DecoderBlock block = Block(dtype);
    const RotaryTable rotary = Rotary(48, dtype);
    const at::Tensor hidden = at::randn({7, 48, kHidden}).to(dtype);
    const at::Tensor together = block.Forward(hidden, rotary, nullptr).value();
    for (const int64_t size : {1, 2, 3, 4, 5}) {
      std::vector<at::Tensor> parts;
      for (int64_t begin = 0; begin < 7; begin += size) {
        parts.push_back(
            block.Forward(hidden.narrow(0, begin, std::min<int64_t>(size, 7 - begin)), rotary, nullptr)
                .value());
      }
      EXPECT_TRUE(at::equal(at::cat(parts), together)) << "batches of " << size;
    }
  }
}

TEST(DecoderBlockTest, ThreadsDoNotChangeABit) {
  for (const c10::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const DecoderBlock block = Block(dtype);
    const at::Tensor hidden = at::randn({3, 64, kHidden}).to(dtype);
    SetTaskThreads(1);
    const at::Tensor one = block.Forward(hidden, Rotary(64, dtype), nullptr).value();
    SetTaskThreads(2);
    EXPECT_TRUE(at::equal(block.Forward(hidden, Rotary(64, dtype), nullptr).value(), one));
    SetTaskThreads(1);
  }
}

TEST(DecoderBlockTest, TheTapSeesEachDistinctInputOnce) {
  RecordingTap tap;
  ASSERT_TRUE(Block(at::kFloat).Forward(at::randn({2, 5, kHidden}), Rotary(5, at::kFloat), &tap).ok());
  EXPECT_EQ(tap.inputs, (std::vector<LinearInput>{LinearInput::kAttentionIn, LinearInput::kAttentionOut,
                                                  LinearInput::kMlpIn, LinearInput::kMlpOut}));
  EXPECT_EQ(tap.shapes, (std::vector<std::vector<int64_t>>{
                            {10, kHidden}, {10, 6 * kHeadDim}, {10, kHidden}, {10, kIntermediate}}));
}

TEST(DecoderBlockTest, AnErrorOfTheTapEndsTheCall) {
  RecordingTap tap;
  tap.fail_at = 2;
  const auto output = Block(at::kFloat).Forward(at::randn({1, 5, kHidden}), Rotary(5, at::kFloat), &tap);
  EXPECT_TRUE(HasReason(output.status(), Reason::kNumericalFailure));
  EXPECT_EQ(tap.inputs.size(), 2u);
}

TEST(DecoderBlockTest, TheInputIsLeftAsItWas) {
  const at::Tensor hidden = at::randn({2, 5, kHidden});
  const at::Tensor before = hidden.clone();
  ASSERT_TRUE(Block(at::kFloat).Forward(hidden, Rotary(5, at::kFloat), nullptr).ok());
  EXPECT_TRUE(at::equal(hidden, before));
}

TEST(DecoderBlockTest, TheTapSeesOutputsThatAreProductsOfTheObservedInput) {
  BlockWeights weights = Weights(at::kFloat);
  weights.key.bias = at::randn({2 * kHeadDim});
  weights.up.activation_bits = 8;
  weights.down.branch_down = at::randn({2, kIntermediate});
  weights.down.branch_up = at::randn({kHidden, 2});
  RecordingTap tap;
  ASSERT_TRUE(
      DecoderBlock(Layout(), weights).Forward(at::randn({2, 9, kHidden}), Rotary(9, at::kFloat), &tap).ok());
  using enum LinearRole;
  const std::map<LinearRole, std::pair<LinearInput, const LinearWeights*>> expected = {
      {kQuery, {LinearInput::kAttentionIn, &weights.query}},
      {kValue, {LinearInput::kAttentionIn, &weights.value}},
      {kOutput, {LinearInput::kAttentionOut, &weights.output}},
      {kGate, {LinearInput::kMlpIn, &weights.gate}}};
  ASSERT_EQ(tap.outputs.size(), expected.size());
  for (const auto& [role, linear] : expected) {
    const auto& [input, values] = tap.outputs.at(role);
    EXPECT_EQ(input, linear.first) << ToString(role);
    const at::Tensor product = at::matmul(tap.rows.at(input), linear.second->weight.t());
    EXPECT_TRUE(at::allclose(values.view(product.sizes()), product, 1e-5, 1e-5)) << ToString(role);
  }
  weights.rotations[LinearInput::kMlpIn] = Turn(8, 0.3).to(at::kFloat);
  RecordingTap rotated;
  ASSERT_TRUE(DecoderBlock(Layout(), weights)
                  .Forward(at::randn({2, 9, kHidden}), Rotary(9, at::kFloat), &rotated)
                  .ok());
  EXPECT_TRUE(rotated.outputs.empty());
}

}  // namespace
}  // namespace heroq
