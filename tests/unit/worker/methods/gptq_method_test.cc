#include "worker/methods/gptq_method.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/methods/rtn_method.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

UnitWork ThreeLinears() {
  UnitWork work;
  AddLinears(MakeProblem(30, 64, 300, 1, {4}), LinearInput::kAttentionIn, {10, 14, 6},
             MakeScheme(4, 32, false), &work);
  return work;
}

QuantizedUnit Quantize(const UnitWork& work, const GptqOptions& options = {}) {
  auto unit = GptqMethod(options).Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

// tr(E H E^T) of the stored form, in float64.
double StoredLoss(const LinearWork& linear, const QuantizedLinear& stored,
                  const LayerStatistics& statistics) {
  const at::Tensor weight = linear.weight.contiguous();
  const std::vector<float> dequantized = Dequantize(stored);
  const float* moments = statistics.second_moment.data_ptr<float>();
  double loss = 0;
  for (int64_t row = 0; row < stored.out_features; ++row) {
    for (int64_t i = 0; i < stored.in_features; ++i) {
      for (int64_t j = 0; j < stored.in_features; ++j) {
        const int64_t at = row * stored.in_features;
        loss += (static_cast<double>(dequantized[at + i]) - weight.data_ptr<float>()[at + i]) *
                moments[i * stored.in_features + j] *
                (static_cast<double>(dequantized[at + j]) - weight.data_ptr<float>()[at + j]);
      }
    }
  }
  return loss;
}

double CountedLoss(const LinearOutcome& outcome) {
  EXPECT_FALSE(outcome.row_losses.empty());
  return std::accumulate(outcome.row_losses.begin(), outcome.row_losses.end(), 0.0);
}

void ExpectSame(const QuantizedLinear& a, const QuantizedLinear& b) {
  EXPECT_EQ(a.packed_codes, b.packed_codes);
  EXPECT_EQ(a.scales, b.scales);
  EXPECT_EQ(a.zero_points, b.zero_points);
}

TEST(GptqMethodTest, EveryLinearOfAStackKeepsItsRowsAndItsLoss) {
  const UnitWork work = ThreeLinears();
  const QuantizedUnit unit = Quantize(work);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(unit.linears[i].name, work.linears[i].name);
    EXPECT_TRUE(ValidateQuantizedLinear(unit.linears[i]).ok());
    const double loss =
        StoredLoss(work.linears[i], unit.linears[i], work.statistics.at(LinearInput::kAttentionIn));
    EXPECT_NEAR(CountedLoss(unit.outcomes[i]), loss, 1e-3 * loss);
    EXPECT_EQ(unit.outcomes[i].token_count, 300);
    EXPECT_EQ(unit.outcomes[i].dead_inputs, 1);
    EXPECT_EQ(unit.outcomes[i].damping, 0.01);
    EXPECT_FALSE(unit.outcomes[i].damping_raised);
    EXPECT_THAT(unit.outcomes[i].warnings, ElementsAre(HasSubstr("1 of 64 inputs were zero")));
  }
}

TEST(GptqMethodTest, LinearsOfOneInputMayHaveDifferentSchemes) {
  UnitWork work = ThreeLinears();
  work.linears[1].scheme = MakeScheme(8, kPerChannel, true);
  const QuantizedUnit mixed = Quantize(work);
  EXPECT_EQ(mixed.linears[1].scheme, work.linears[1].scheme);
  ExpectSame(mixed.linears[0], Quantize(ThreeLinears()).linears[0]);
  ExpectSame(mixed.linears[2], Quantize(ThreeLinears()).linears[2]);
}

TEST(GptqMethodTest, InputsOfAUnitHaveTheirOwnStatistics) {
  UnitWork work = ThreeLinears();
  AddLinears(MakeProblem(8, 96, 200, 2), LinearInput::kAttentionOut, {8}, MakeScheme(4, 32, false), &work);
  const QuantizedUnit unit = Quantize(work);
  EXPECT_EQ(unit.outcomes[3].token_count, 200);
  const double loss =
      StoredLoss(work.linears[3], unit.linears[3], work.statistics.at(LinearInput::kAttentionOut));
  EXPECT_NEAR(CountedLoss(unit.outcomes[3]), loss, 1e-3 * loss);
}

TEST(GptqMethodTest, OptionsReachTheSolver) {
  const UnitWork work = ThreeLinears();
  const QuantizedUnit standard = Quantize(work);
  EXPECT_NE(Quantize(work, {.damping = 1.0}).linears[0].packed_codes, standard.linears[0].packed_codes);
  EXPECT_EQ(Quantize(work, {.damping = 1.0}).outcomes[0].damping, 1.0);
  EXPECT_NE(Quantize(work, {.act_order = false}).linears[0].packed_codes, standard.linears[0].packed_codes);
  EXPECT_NE(Quantize(work, {.scale_search = false}).linears[0].scales, standard.linears[0].scales);
  EXPECT_FALSE(Quantize(work, {.scale_search = false}).outcomes[0].mean_shrink.has_value());
}

TEST(GptqMethodTest, RaisedDampingIsAWarning) {
  UnitWork work;
  RandomProblem problem = MakeProblem(4, 32, 1000, 3);
  std::fill(problem.second_moment.begin(), problem.second_moment.end(), 0.0f);
  for (int64_t j = 0; j < 32; ++j) problem.second_moment[j * 32 + j] = 1;
  // Eigenvalue -0.05 between inputs 0 and 1.
  problem.second_moment[1] = problem.second_moment[32] = 1.05f;
  AddLinears(problem, LinearInput::kMlpIn, {4}, MakeScheme(4, 32, false), &work);
  const QuantizedUnit unit = Quantize(work);
  EXPECT_TRUE(unit.outcomes[0].damping_raised);
  EXPECT_EQ(unit.outcomes[0].damping, 0.1);
  EXPECT_THAT(unit.outcomes[0].warnings, ElementsAre(HasSubstr("from 0.01 to 0.1")));
}

TEST(GptqMethodTest, FewerTokensThanInputsAreAWarning) {
  UnitWork work;
  AddLinears(MakeProblem(4, 64, 40, 6), LinearInput::kMlpIn, {4}, MakeScheme(4, 32, false), &work);
  const QuantizedUnit unit = Quantize(work);
  EXPECT_EQ(unit.outcomes[0].damping, 0.01);
  EXPECT_THAT(unit.outcomes[0].warnings, ElementsAre(HasSubstr("40 calibration tokens for 64 inputs")));
}

TEST(GptqMethodTest, ZeroWeightsStayZeroAndAreAWarningOfTheirLinearAlone) {
  UnitWork work = ThreeLinears();
  work.statistics.at(LinearInput::kAttentionIn) = {
      MatrixTensor(MakeProblem(1, 64, 300, 7).second_moment, 64, 64), 300};
  work.linears[0].weight.zero_();
  work.linears[1].weight.slice(0, 3, 5).zero_();
  for (const bool symmetric : {false, true}) {
    for (LinearWork& linear : work.linears) linear.scheme = MakeScheme(4, 32, symmetric);
    const QuantizedUnit unit = Quantize(work);
    EXPECT_THAT(unit.outcomes[0].warnings, ElementsAre("Every weight is zero."));
    EXPECT_THAT(unit.outcomes[1].warnings, ElementsAre("2 of 14 rows of the weight are zero."));
    EXPECT_THAT(unit.outcomes[2].warnings, ElementsAre());
    EXPECT_TRUE(ValidateQuantizedLinear(unit.linears[0]).ok());
    EXPECT_THAT(Dequantize(unit.linears[0]), testing::Each(0.0f));
    EXPECT_EQ(CountedLoss(unit.outcomes[0]), 0);
  }
}

TEST(GptqMethodTest, ConstantColumnsAndOneHugeInputAreSolvedWithTheAskedDamping) {
  UnitWork work = ThreeLinears();
  // Inputs 8 to 15 are one constant on every token, input 20 is a million times as large as the others.
  at::Tensor rows = at::randn({300, 64}, at::kFloat);
  rows.slice(1, 8, 16).fill_(0.5);
  rows.slice(1, 20, 21).mul_(1e6);
  work.statistics.at(LinearInput::kAttentionIn) = {rows.t().mm(rows), 300};
  const QuantizedUnit unit = Quantize(work);
  auto nearest = RtnMethod({}).Quantize(work, {}, {});
  ASSERT_TRUE(nearest.ok()) << nearest.status();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(unit.outcomes[i].damping, 0.01);
    EXPECT_THAT(unit.outcomes[i].warnings, ElementsAre());
    EXPECT_TRUE(ValidateQuantizedLinear(unit.linears[i]).ok());
    const LayerStatistics& statistics = work.statistics.at(LinearInput::kAttentionIn);
    EXPECT_LE(StoredLoss(work.linears[i], unit.linears[i], statistics),
              StoredLoss(work.linears[i], nearest->linears[i], statistics));
  }
}

TEST(GptqMethodTest, InputWithoutAnyActivationIsRoundedToNearestWithAWarning) {
  UnitWork work = ThreeLinears();
  LayerStatistics& statistics = work.statistics.at(LinearInput::kAttentionIn);
  statistics.second_moment = statistics.second_moment.mul(0);
  const QuantizedUnit unit = Quantize(work);
  auto nearest = RtnMethod({}).Quantize(work, {}, {});
  ASSERT_TRUE(nearest.ok()) << nearest.status();
  ExpectSame(unit.linears[0], nearest->linears[0]);
  EXPECT_EQ(unit.outcomes[0].dead_inputs, 64);
  EXPECT_FALSE(unit.outcomes[0].damping.has_value());
  EXPECT_THAT(unit.outcomes[0].warnings, ElementsAre(HasSubstr("zero on all calibration tokens")));
}

TEST(GptqMethodTest, MissingOrMisshapenStatisticsAreErrorsNamingTheLinear) {
  UnitWork work = ThreeLinears();
  work.linears[1].input = LinearInput::kMlpOut;
  const absl::Status missing = GptqMethod({}).Quantize(work, {}, {}).status();
  EXPECT_TRUE(HasReason(missing, Reason::kCalibrationRequired));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("linear1"));
  work.statistics[LinearInput::kMlpOut] = {at::Tensor(work.linears[0].weight.slice(1, 0, 10)), 100};
  EXPECT_TRUE(HasReason(GptqMethod({}).Quantize(work, {}, {}).status(), Reason::kInternal));
}

TEST(GptqMethodTest, SecondMomentsThatAreNotFiniteAreANumericalFailure) {
  UnitWork work = ThreeLinears();
  work.statistics.at(LinearInput::kAttentionIn).second_moment.data_ptr<float>()[5] = NAN;
  work.statistics.at(LinearInput::kAttentionIn).second_moment.data_ptr<float>()[5 * 64] = NAN;
  EXPECT_TRUE(HasReason(GptqMethod({}).Quantize(work, {}, {}).status(), Reason::kNumericalFailure));
}

TEST(GptqMethodTest, ReportsProgressAndStopsWhenCancelled) {
  const UnitWork work = ThreeLinears();
  const Cancellation cancellation;
  std::vector<std::string> seen;
  const auto unit =
      GptqMethod({}).Quantize(work, cancellation, [&](const std::string& activity, double fraction) {
        EXPECT_EQ(fraction, 0.0);
        seen.push_back(activity);
        cancellation.Cancel();
      });
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCancelled));
  EXPECT_THAT(seen, ElementsAre("linear0"));
}

}  // namespace
}  // namespace heroq
