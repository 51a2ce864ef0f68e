#include "worker/methods/hero_q_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"

namespace heroq {
namespace {

using ::testing::SizeIs;

// Four query heads of 16 channels over two value heads, 48 wide.
UnitWork AttentionUnit() {
  UnitWork work;
  const QuantScheme scheme = MakeScheme(3, 16, true);
  AddLinears(MakeProblem(128, 48, 400, 1), LinearInput::kAttentionIn, {64, 32, 32}, scheme, &work);
  AddLinears(MakeProblem(48, 64, 400, 2), LinearInput::kAttentionOut, {48}, scheme, &work);
  const LinearRole roles[] = {LinearRole::kQuery, LinearRole::kKey, LinearRole::kValue, LinearRole::kOutput};
  for (size_t i = 0; i < 4; ++i) work.linears[i].role = roles[i];
  work.gain = at::ones({48});
  work.geometry = {4, 2};
  return work;
}

HeroQOptions Options(HeroQOptions::Placement placement, HeroQOptions::Rotation rotation) {
  HeroQOptions options;
  options.placement = placement;
  options.rotation = rotation;
  options.alphas.alphas = {0, 0.2, 0.4};
  options.learning.steps = 10;
  return options;
}

QuantizedUnit Quantize(const UnitWork& work, const HeroQOptions& options) {
  auto unit = HeroQMethod(options).Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

// tr(E H E^T) / tr(W H W^T) of the output projection as stored, in the basis it was stored in.
double OutputLoss(const QuantizedUnit& unit) {
  const LinearWork& linear = unit.transformed->linears[3];
  const at::Tensor moments = unit.transformed->statistics.at(linear.input).second_moment.to(at::kDouble);
  const at::Tensor weight = linear.weight.to(at::kDouble);
  const at::Tensor error = MatrixTensor(Dequantize(unit.linears[3]), 48, 64).to(at::kDouble) - weight;
  return ((error.matmul(moments) * error).sum() / (weight.matmul(moments) * weight).sum()).item<double>();
}

TEST(HeroQMethodTest, EveryInputIsSearchedAndNoneLosesMoreThanUntransformed) {
  const QuantizedUnit unit =
      Quantize(AttentionUnit(), Options(HeroQOptions::Placement::kNone, HeroQOptions::Rotation::kHadamard));
  ASSERT_THAT(unit.transforms, SizeIs(2));
  EXPECT_EQ(unit.transforms[0].input, LinearInput::kAttentionOut);
  EXPECT_EQ(unit.transforms[0].rotation, "hadamard");
  EXPECT_EQ(unit.transforms[0].rotation_size, 16);
  EXPECT_EQ(unit.transforms[1].input, LinearInput::kAttentionIn);
  EXPECT_EQ(unit.transforms[1].rotation, "none");
  for (const TransformOutcome& outcome : unit.transforms) {
    EXPECT_THAT(outcome.curve, SizeIs(3));
    EXPECT_LE(outcome.loss, outcome.untransformed_loss);
  }
  // All 48 rows of the output projection are in the sample: the score is what was stored.
  EXPECT_NEAR(OutputLoss(unit), unit.transforms[0].loss, 1e-3 * unit.transforms[0].loss);
}

TEST(HeroQMethodTest, BehindARotatedStreamNormsAreLeftAlone) {
  const UnitWork work = AttentionUnit();
  const QuantizedUnit unit =
      Quantize(work, Options(HeroQOptions::Placement::kFused, HeroQOptions::Rotation::kHadamard));
  ASSERT_THAT(unit.transforms, SizeIs(1));
  EXPECT_TRUE(at::equal(unit.transformed->gain, work.gain));
  EXPECT_TRUE(at::equal(unit.transformed->linears[0].weight, work.linears[0].weight));
  EXPECT_FALSE(at::equal(unit.transformed->linears[2].weight, work.linears[2].weight))
      << "the value projection";
}

TEST(HeroQMethodTest, ALearnedRotationIsTakenWhereItLosesLess) {
  const QuantizedUnit unit =
      Quantize(AttentionUnit(), Options(HeroQOptions::Placement::kFused, HeroQOptions::Rotation::kLearned));
  const TransformOutcome& outcome = unit.transforms.front();
  ASSERT_TRUE(outcome.hadamard_loss.has_value());
  EXPECT_GT(outcome.rotation_steps, 0);
  EXPECT_LE(outcome.loss, *outcome.hadamard_loss);
  EXPECT_EQ(outcome.rotation, outcome.loss < *outcome.hadamard_loss ? "learned" : "hadamard");
}

TEST(HeroQMethodTest, OneAlphaIsTakenAndSeedsChooseTheRotation) {
  HeroQOptions options = Options(HeroQOptions::Placement::kFused, HeroQOptions::Rotation::kHadamard);
  options.alphas.alphas = {0.25};
  const QuantizedUnit first = Quantize(AttentionUnit(), options);
  EXPECT_EQ(first.transforms.front().alpha, 0.25);
  EXPECT_EQ(Quantize(AttentionUnit(), options).linears[3].packed_codes, first.linears[3].packed_codes);
  options.seed = 1;
  EXPECT_NE(Quantize(AttentionUnit(), options).linears[3].packed_codes, first.linears[3].packed_codes);
}

TEST(HeroQMethodTest, AnOnlineRotationIsOneForAllBlocksOfAnInput) {
  for (const auto kind : {HeroQOptions::Rotation::kHadamard, HeroQOptions::Rotation::kLearned,
                          HeroQOptions::Rotation::kRandom}) {
    const QuantizedUnit unit = Quantize(AttentionUnit(), Options(HeroQOptions::Placement::kOnline, kind));
    ASSERT_THAT(unit.transforms, SizeIs(2));
    ASSERT_THAT(unit.transformed->rotations, SizeIs(2));
    // 48 = 3 * 16 inputs of the norm, 64 = 4 * 16 of the heads.
    EXPECT_EQ(unit.transformed->rotations.at(LinearInput::kAttentionIn).size(0), 16);
    EXPECT_EQ(unit.transformed->rotations.at(LinearInput::kAttentionOut).size(0), 64);
    for (const auto& [input, rotation] : unit.transformed->rotations) {
      const at::Tensor product = rotation.t().matmul(rotation);
      EXPECT_LT((product - at::eye(rotation.size(0))).abs().max().item<double>(), 1e-5);
    }
    EXPECT_NEAR(OutputLoss(unit), unit.transforms[0].loss, 1e-3 * unit.transforms[0].loss);
  }
}

TEST(HeroQMethodTest, AnInputThatLosesWithEveryRotationIsMultipliedByTheIdentity) {
  UnitWork work = AttentionUnit();
  // Weights on a grid of their own lose nothing as they are.
  const QuantScheme scheme = MakeScheme(8, 16, true);
  for (LinearWork& linear : work.linears) {
    linear.scheme = scheme;
    linear.weight = linear.weight.sign() * 0.5;
    linear.weight.select(1, 0).fill_(0.5);
  }
  const QuantizedUnit unit =
      Quantize(work, Options(HeroQOptions::Placement::kOnline, HeroQOptions::Rotation::kHadamard));
  for (const TransformOutcome& outcome : unit.transforms) EXPECT_EQ(outcome.rotation, "none");
  EXPECT_TRUE(at::equal(unit.transformed->rotations.at(LinearInput::kAttentionIn), at::eye(16)));
  EXPECT_TRUE(at::equal(unit.transformed->linears[0].weight, work.linears[0].weight));
}

TEST(HeroQMethodTest, WithoutStatisticsItIsRefused) {
  UnitWork work = AttentionUnit();
  work.statistics.erase(LinearInput::kAttentionOut);
  const auto unit = HeroQMethod(Options(HeroQOptions::Placement::kNone, HeroQOptions::Rotation::kNone))
                        .Quantize(work, {}, {});
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCalibrationRequired)) << unit.status();
}

}  // namespace
}  // namespace heroq
