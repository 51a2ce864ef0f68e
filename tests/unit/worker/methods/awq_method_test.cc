#include "worker/methods/awq_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/methods/hero_q_method.h"

namespace heroq {
namespace {

using ::testing::SizeIs;

// A few channels of an input far larger than the others, as language models have them.
void AddOutliers(LinearInput input, UnitWork& work) {
  at::Tensor& moments = work.statistics.at(input).second_moment;
  at::Tensor factor = at::ones({moments.size(0)});
  for (int64_t channel = 3; channel < factor.numel(); channel += 16) factor[channel] = 12;
  moments = moments * factor.unsqueeze(0) * factor.unsqueeze(1);
}

UnitWork MlpUnit() {
  UnitWork work;
  const QuantScheme scheme = MakeScheme(3, 16, true);
  AddLinears(MakeProblem(128, 48, 400, 1), LinearInput::kMlpIn, {64, 64}, scheme, &work);
  AddLinears(MakeProblem(48, 64, 400, 2), LinearInput::kMlpOut, {48}, scheme, &work);
  const LinearRole roles[] = {LinearRole::kGate, LinearRole::kUp, LinearRole::kDown};
  for (size_t i = 0; i < 3; ++i) work.linears[i].role = roles[i];
  work.gain = at::ones({48});
  AddOutliers(LinearInput::kMlpIn, work);
  AddOutliers(LinearInput::kMlpOut, work);
  return work;
}

QuantizedUnit Quantize(const Method& method, const UnitWork& work) {
  auto unit = method.Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

// A scale search in groups this small finds grids that hold an outlier exactly, and leaves AWQ nothing to do.
AwqOptions Plain(int steps) { return {.steps = steps, .scale_search = false}; }

TEST(AwqMethodTest, RatiosAreEvenlySpacedAndTheBestOneIsTaken) {
  const QuantizedUnit unit = Quantize(*MakeAwqMethod(Plain(4)), MlpUnit());
  ASSERT_THAT(unit.transforms, SizeIs(2));
  for (const TransformOutcome& outcome : unit.transforms) {
    EXPECT_EQ(outcome.rotation, "none");
    ASSERT_THAT(outcome.curve, SizeIs(4));
    for (size_t step = 0; step < 4; ++step) {
      EXPECT_EQ(outcome.curve[step].alpha, static_cast<double>(step) / 4);
      EXPECT_LE(outcome.loss, outcome.curve[step].loss);
    }
    EXPECT_LT(outcome.loss, outcome.untransformed_loss);
  }
}

TEST(AwqMethodTest, OneStepIsRoundingToNearest) {
  const UnitWork work = MlpUnit();
  const QuantizedUnit unit = Quantize(*MakeAwqMethod(Plain(1)), work);
  const QuantizedUnit rounded = Quantize(RtnMethod(RtnOptions{false}), work);
  EXPECT_TRUE(at::equal(unit.transformed->gain, work.gain));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(unit.linears[i].packed_codes, rounded.linears[i].packed_codes);
}

TEST(AwqMethodTest, UnderHeroQItScalesTheNewBasisOnceMore) {
  const UnitWork work = MlpUnit();
  HeroQOptions options;
  options.base = Plain(4);
  options.placement = HeroQOptions::Placement::kNone;
  options.alphas = {{0.1}, 0};
  const QuantizedUnit unit = Quantize(HeroQMethod(options), work);
  ASSERT_THAT(unit.transforms, SizeIs(4)) << "one of each for both inputs";
  EXPECT_THAT(unit.transforms[0].curve, SizeIs(1));
  EXPECT_THAT(unit.transforms[2].curve, SizeIs(4));
  // The second one starts where the first one ended, on the rows of one input.
  EXPECT_NEAR(unit.transforms[2].untransformed_loss, unit.transforms[0].loss, 1e-6);
  EXPECT_LT(unit.transforms[2].loss, unit.transforms[0].loss);
  // What is handed back is the unit that was rounded: both scales are in the gain.
  const at::Tensor gained = unit.transformed->linears[0].weight * unit.transformed->gain;
  EXPECT_LT((gained - work.linears[0].weight * work.gain).abs().max().item<double>(), 1e-6);
  const QuantizedUnit rounded = Quantize(RtnMethod(RtnOptions{false}), *unit.transformed);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(unit.linears[i].packed_codes, rounded.linears[i].packed_codes);
}

TEST(AwqMethodTest, WithoutStatisticsItIsRefused) {
  UnitWork work = MlpUnit();
  work.statistics.clear();
  const auto unit = MakeAwqMethod({})->Quantize(work, {}, {});
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCalibrationRequired)) << unit.status();
}

}  // namespace
}  // namespace heroq
