#include "worker/methods/rtn_method.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"

namespace heroq {
namespace {

UnitWork TwoLinears() {
  UnitWork work;
  AddLinears(MakeProblem(20, 64, 100, 1, {4}), LinearInput::kMlpIn, {12, 8}, MakeScheme(4, 32, false), &work);
  return work;
}

QuantizedUnit Quantize(const UnitWork& work, const RtnOptions& options) {
  auto unit = RtnMethod(options).Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

TEST(RtnMethodTest, GivesOneValidLinearPerLinearInOrder) {
  const UnitWork work = TwoLinears();
  const QuantizedUnit unit = Quantize(work, {});
  ASSERT_EQ(unit.linears.size(), 2u);
  ASSERT_EQ(unit.outcomes.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(unit.linears[i].name, work.linears[i].name);
    EXPECT_EQ(unit.linears[i].out_features, work.linears[i].weight.size(0));
    EXPECT_TRUE(ValidateQuantizedLinear(unit.linears[i]).ok());
  }
}

TEST(RtnMethodTest, EveryWeightIsWithinHalfAStepOfTheMinMaxGrid) {
  const UnitWork work = TwoLinears();
  const QuantizedUnit unit = Quantize(work, {.scale_search = false});
  const at::Tensor weight = work.linears[1].weight.contiguous();
  const std::vector<float> dequantized = Dequantize(unit.linears[1]);
  // Weights are 0.05 N(0, 1): a range of at most 0.5 in 15 steps, the rounded zero point moving it by half a
  // step.
  for (size_t i = 0; i < dequantized.size(); ++i)
    EXPECT_NEAR(dequantized[i], weight.data_ptr<float>()[i], 0.5 / 15);
  EXPECT_FALSE(unit.outcomes[1].mean_shrink.has_value());
}

TEST(RtnMethodTest, SecondMomentsWeightTheSearchAndAreReported) {
  UnitWork work = TwoLinears();
  const QuantizedUnit weighted = Quantize(work, {});
  EXPECT_EQ(weighted.outcomes[0].token_count, 100);
  EXPECT_EQ(weighted.outcomes[0].dead_inputs, 1);
  EXPECT_LT(*weighted.outcomes[0].mean_shrink, 1.0);
  work.statistics.clear();
  const QuantizedUnit plain = Quantize(work, {});
  EXPECT_EQ(plain.outcomes[0].token_count, 0);
  EXPECT_LT(*plain.outcomes[0].mean_shrink, 1.0);
  EXPECT_NE(plain.linears[0].scales, weighted.linears[0].scales);
}

TEST(RtnMethodTest, ZeroRowsAreAWarningAndStayZero) {
  UnitWork work = TwoLinears();
  work.linears[1].weight.slice(0, 0, 3).zero_();
  const QuantizedUnit unit = Quantize(work, {});
  EXPECT_TRUE(unit.outcomes[0].warnings.empty());
  EXPECT_EQ(unit.outcomes[1].warnings, std::vector<std::string>{"3 of 8 rows of the weight are zero."});
  const std::vector<float> dequantized = Dequantize(unit.linears[1]);
  for (size_t i = 0; i < 3 * 64; ++i) EXPECT_EQ(dequantized[i], 0);
}

TEST(RtnMethodTest, Bf16WeightsAreTakenAtTheirValue) {
  UnitWork work = TwoLinears();
  work.statistics.clear();
  for (LinearWork& linear : work.linears) linear.weight = linear.weight.to(at::kBFloat16);
  const QuantizedUnit narrow = Quantize(work, {});
  for (LinearWork& linear : work.linears) linear.weight = linear.weight.to(at::kFloat);
  EXPECT_EQ(narrow.linears[0].packed_codes, Quantize(work, {}).linears[0].packed_codes);
}

TEST(RtnMethodTest, ReportsProgressAndStopsWhenCancelled) {
  const UnitWork work = TwoLinears();
  const Cancellation cancellation;
  std::vector<std::pair<std::string, double>> seen;
  const auto unit =
      RtnMethod({}).Quantize(work, cancellation, [&](const std::string& activity, double fraction) {
        seen.emplace_back(activity, fraction);
        cancellation.Cancel();
      });
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCancelled));
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, double>>{{"linear0", 0.0}}));
}

}  // namespace
}  // namespace heroq
