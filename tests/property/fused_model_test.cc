// Transforms that are folded into a model must not change its function: in float64, before anything is
// quantized.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/remainder.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/online_rotation.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"
#include "worker/forward/rms_norm.h"
#include "worker/loading/block_loader.h"
#include "worker/loading/checkpoint_weights.h"
#include "worker/loading/rotated_weights.h"
#include "worker/loading/stored_rotation.h"
#include "worker/methods/online_folding.h"
#include "worker/methods/unit_folding.h"
#include "worker/transform/cayley.h"
#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

constexpr double kTolerance = 1e-10;
constexpr int64_t kLength = 12;

using Replaced = std::map<std::string, at::Tensor>;

struct FusedModelTest : ::testing::TestWithParam<TinyModel> {
  FusedModelTest() {
    WriteTinyModel(files, "/model", GetParam());
    original = CheckpointWeights::Open(files, "/model", c10::Device(c10::kCPU)).value();
  }

  at::Tensor Logits(const WeightSource& source, const Replaced& replaced = {}) const {
    const ModelLayout& layout = source.layout();
    const at::Tensor ids = at::remainder(at::arange(2 * kLength, at::kLong) * 37, layout.vocab_size);
    at::Tensor hidden = Embed(source, ids.view({2, kLength}), at::kDouble).value();
    const RotaryTable rotary(layout, kLength, at::kDouble, c10::Device(c10::kCPU));
    for (int64_t block = 0; block < layout.block_count; ++block) {
      const DecoderBlock weights = LoadBlock(source, block, at::kDouble, replaced).value();
      hidden = weights.Forward(hidden, rotary, nullptr).value();
    }
    const at::Tensor gain = source.Load(layout.final_norm_name, at::kDouble).value();
    const at::Tensor head = source.Load(layout.head_name, at::kDouble).value();
    return at::matmul(RmsNorm(hidden, gain, layout.norm_epsilon), head.t());
  }

  // The unit's tensors, all dense.
  static UnitWork LoadUnit(const WeightSource& source, const BlockLayout& block, UnitKind kind) {
    UnitWork work;
    work.geometry = {source.layout().head_count, source.layout().kv_head_count};
    work.stored_type = at::kDouble;
    work.gain = source.Load(block.NormOf(kind).name, at::kDouble).value();
    for (const LinearLayout& linear : block.linears) {
      if (linear.unit != kind) continue;
      DenseLinear& kept = work.kept.emplace_back();
      kept = {linear.name,
              linear.input,
              source.Load(linear.name + ".weight", at::kDouble).value(),
              linear.role,
              {}};
      if (linear.has_bias) kept.bias = source.Load(linear.name + ".bias", at::kDouble).value();
    }
    return work;
  }

  static void Add(const UnitWork& work, const BlockLayout& block, const std::string& norm,
                  Replaced& replaced) {
    replaced[norm] = work.gain;
    for (const auto& [input, rotation] : work.rotations) {
      replaced[OnlineTensor(block, input)] = StoredRotation(rotation);
    }
    for (const DenseLinear& linear : work.kept) {
      replaced[linear.name + ".weight"] = linear.weight;
      if (linear.bias.defined()) replaced[linear.name + ".bias"] = linear.bias;
    }
  }

  // A diagonal of `width` from 0.25 to 4, and for an attention output one rotation per value head.
  static InputTransform Transform(LinearInput input, int64_t width, const HeadGeometry& heads) {
    InputTransform transform;
    const auto seed = static_cast<uint64_t>(input);
    const int64_t channels =
        input == LinearInput::kAttentionOut ? width / heads.heads * heads.value_heads : width;
    std::vector<float> scale = RandomValues(static_cast<size_t>(channels), 7 + seed);
    for (float& value : scale) value = std::exp2(2 * value);
    at::Tensor diagonal = at::empty({channels}, at::kFloat);
    std::copy(scale.begin(), scale.end(), diagonal.mutable_data_ptr<float>());
    if (input == LinearInput::kAttentionOut) {
      const int64_t head_dim = width / heads.heads, group = heads.heads / heads.value_heads;
      diagonal = diagonal.view({heads.value_heads, 1, head_dim})
                     .expand({heads.value_heads, group, head_dim})
                     .reshape({width});
      transform.rotation = at::empty({heads.value_heads, head_dim, head_dim}, at::kDouble);
      for (int64_t head = 0; head < heads.value_heads; ++head) {
        transform.rotation.select(0, head).copy_(RandomOrthogonal(RandomStream(3, 9, head), head_dim));
      }
      for (int64_t head = 0; head < heads.heads; ++head) transform.rotation_of_block.push_back(head / group);
    }
    transform.scale = diagonal;
    return transform;
  }

  // The same diagonal with signs, and one rotation for all blocks, which is left to the forward pass.
  static InputTransform Online(LinearInput input, int64_t width, const HeadGeometry& heads) {
    InputTransform transform = StartOnline(OnlineStart::kRandom, input, width, heads, 11);
    transform.rotation = OrthogonalPart(transform.rotation);
    transform.scale = transform.scale * Transform(input, width, heads).scale;
    return transform;
  }

  // Every unit of every block with a transform of each of its inputs.
  Replaced FoldEverywhere(const WeightSource& source, bool online = false) const {
    Replaced replaced;
    for (const BlockLayout& block : source.layout().blocks) {
      for (const UnitKind kind : {UnitKind::kAttention, UnitKind::kMlp}) {
        UnitWork work = LoadUnit(source, block, kind);
        for (const LinearInput input : {LinearInput::kAttentionOut, LinearInput::kMlpOut,
                                        LinearInput::kAttentionIn, LinearInput::kMlpIn}) {
          const std::vector<DenseLinear*> readers = ReadersOf(work, input);
          if (readers.empty()) continue;
          const int64_t width = readers.front()->weight.size(1);
          EXPECT_TRUE(online ? FoldOnline(input, Online(input, width, work.geometry), work).ok()
                             : FoldTransform(input, Transform(input, width, work.geometry), work).ok());
        }
        Add(work, block, block.NormOf(kind).name, replaced);
      }
    }
    return replaced;
  }

  static void ExpectEqual(const at::Tensor& changed, const at::Tensor& expected) {
    const double error = (changed - expected).norm().item<double>() / expected.norm().item<double>();
    EXPECT_LT(error, kTolerance);
  }

  const c10::InferenceMode no_gradients;
  MemoryFileSystem files;
  std::unique_ptr<CheckpointWeights> original;
};

TEST_P(FusedModelTest, ARotatedResidualStreamIsTheSameFunction) {
  const at::Tensor expected = Logits(*original);
  for (const auto kind : {ResidualRotation::Kind::kHadamard, ResidualRotation::Kind::kRandom}) {
    const RotatedWeights rotated(*original, ResidualRotation(kind, original->layout().hidden_size, 5));
    EXPECT_FALSE(rotated.layout().tied_head);
    ExpectEqual(Logits(rotated), expected);
  }
}

TEST_P(FusedModelTest, TransformsInsideEveryUnitAreTheSameFunction) {
  ExpectEqual(Logits(*original, FoldEverywhere(*original)), Logits(*original));
}

TEST_P(FusedModelTest, RotationsLeftToTheForwardPassAreUndoneByTheWeights) {
  const at::Tensor expected = Logits(*original);
  Replaced replaced = FoldEverywhere(*original, /*online=*/true);
  ExpectEqual(Logits(*original, replaced), expected);
  // A loader that does not know them computes something else.
  for (const BlockLayout& block : original->layout().blocks) {
    for (const LinearLayout& linear : block.linears) {
      EXPECT_EQ(replaced.erase(OnlineTensor(block, linear.input)),
                linear.role == LinearRole::kQuery || linear.role == LinearRole::kOutput ||
                    linear.role == LinearRole::kGate || linear.role == LinearRole::kDown);
    }
  }
  EXPECT_GT((Logits(*original, replaced) - expected).norm().item<double>(),
            0.1 * expected.norm().item<double>());
}

TEST_P(FusedModelTest, BothTogetherAreTheSameFunction) {
  const RotatedWeights rotated(
      *original, ResidualRotation(ResidualRotation::Kind::kHadamard, original->layout().hidden_size, 5));
  ExpectEqual(Logits(rotated, FoldEverywhere(rotated)), Logits(*original));
}

INSTANTIATE_TEST_SUITE_P(
    Models, FusedModelTest,
    ::testing::Values(TinyModel{}, TinyModel{.tied = false, .biases = true},
                      // 48 = 3 * 16: Hadamard blocks; heads as wide as 8, three to a value head.
                      TinyModel{.hidden = 48, .intermediate = 80, .heads = 6, .kv_heads = 2, .biases = true},
                      TinyModel{.heads = 4, .kv_heads = 4}));

// What every score rests on: the error energy tr(E H E^T) is the squared error of the outputs over the
// tokens, and does not depend on the basis.
TEST(TransformedEnergyTest, TheEnergyIsTheTokenLossInEveryBasis) {
  const c10::InferenceMode no_gradients;
  const int64_t tokens = 40, in = 24, out = 10;
  const auto matrix = [](int64_t rows, int64_t columns, uint64_t seed) {
    const std::vector<float> values = RandomValues(static_cast<size_t>(rows * columns), seed);
    at::Tensor tensor = at::empty({rows, columns}, at::kFloat);
    std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
    return tensor.to(at::kDouble);
  };
  const at::Tensor x = matrix(tokens, in, 1), error = matrix(out, in, 2);
  const at::Tensor moments = at::matmul(x.t(), x);
  const auto energy = [](const at::Tensor& e, const at::Tensor& h) {
    return (at::matmul(e, h) * e).sum().item<double>();
  };
  const double loss = at::matmul(x, error.t()).pow(2).sum().item<double>();
  EXPECT_NEAR(energy(error, moments), loss, 1e-12 * loss);

  InputTransform transform;
  transform.scale = matrix(1, in, 3).abs().add(0.2).flatten().to(at::kFloat);
  transform.rotation = RandomOrthogonal(RandomStream(1, 2), 8).unsqueeze(0);
  transform.rotation_of_block = {0, 0, 0};
  const at::Tensor moved = TransformWeight(error, transform);
  EXPECT_NEAR(energy(moved, TransformMoments(moments, transform)), loss, 1e-11 * loss);
  EXPECT_LT((RestoreWeight(moved, transform) - error).norm().item<double>(), 1e-12);
}

}  // namespace
}  // namespace heroq
