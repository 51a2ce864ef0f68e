#include "worker/methods/dash_q_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/methods/rtn_method.h"

namespace heroq {
namespace {

UnitWork TwoLinears() {
  UnitWork work;
  AddLinears(MakeProblem(20, 64, 100, 1, {4}), LinearInput::kMlpIn, {12, 8}, MakeScheme(2, 32, false), &work);
  return work;
}

QuantizedUnit Quantize(const UnitWork& work, const Method& method) {
  auto unit = method.Quantize(work, {}, {});
  EXPECT_TRUE(unit.ok()) << unit.status();
  return *std::move(unit);
}

// sum_j h_j (w_j - what_j)^2 over a linear.
double WeightedError(const UnitWork& work, const QuantizedUnit& unit, size_t index) {
  const at::Tensor weight = work.linears[index].weight.contiguous();
  const at::Tensor moment = work.statistics.at(work.linears[index].input).second_moment;
  const std::vector<float> dequantized = Dequantize(unit.linears[index]);
  double sum = 0;
  for (int64_t i = 0; i < weight.numel(); ++i) {
    const int64_t j = i % weight.size(1);
    const double error = weight.data_ptr<float>()[i] - dequantized[i];
    sum += moment.data_ptr<float>()[j * weight.size(1) + j] * error * error;
  }
  return sum;
}

TEST(DashQMethodTest, HasASmallerWeightedErrorThanTheScaleSearch) {
  const UnitWork work = TwoLinears();
  const QuantizedUnit fitted = Quantize(work, DashQMethod({}));
  EXPECT_LT(WeightedError(work, fitted, 0), 0.95 * WeightedError(work, Quantize(work, RtnMethod({})), 0));
  EXPECT_TRUE(ValidateQuantizedLinear(fitted.linears[0]).ok());
}

TEST(DashQMethodTest, ReportsWhatItFittedAndWhatItsWeightsRestOn) {
  const UnitWork work = TwoLinears();
  const QuantizedUnit unit = Quantize(work, DashQMethod({}));
  EXPECT_EQ(unit.outcomes[1].token_count, 100);
  EXPECT_EQ(unit.outcomes[1].dead_inputs, 1);
  EXPECT_GT(*unit.outcomes[1].mean_shrink, 0.5);
  EXPECT_LT(*unit.outcomes[1].mean_shrink, 1.0);
  EXPECT_TRUE(unit.outcomes[1].row_losses.empty());
  EXPECT_THAT(unit.outcomes[1].warnings, ::testing::ElementsAre(::testing::HasSubstr("1 of 64 inputs")));
}

TEST(DashQMethodTest, MissingStatisticsAreAnErrorNamingTheLinear) {
  UnitWork work = TwoLinears();
  work.statistics.clear();
  const auto unit = DashQMethod({}).Quantize(work, {}, {});
  EXPECT_TRUE(HasReason(unit.status(), Reason::kCalibrationRequired));
  EXPECT_THAT(std::string(unit.status().message()), ::testing::HasSubstr("linear0"));
}

}  // namespace
}  // namespace heroq
