#include "worker/methods/transform_search.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/status/error_reason.h"
#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/methods/gptq_method.h"
#include "worker/transform/conditioning.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

absl::StatusOr<double> Parabola(double alpha) { return std::pow(alpha - 0.34, 2); }

TEST(SearchAlphaTest, TheGridsBestIsRefinedOnBothSides) {
  const auto choice = SearchAlpha({{0, 0.2, 0.4, 0.6}, 0.05}, Parabola);
  ASSERT_TRUE(choice.ok());
  EXPECT_DOUBLE_EQ(choice->alpha, 0.35);
  ASSERT_EQ(choice->curve.size(), 6);
  EXPECT_DOUBLE_EQ(choice->curve[2].first, 0.35);
  EXPECT_DOUBLE_EQ(choice->curve[4].first, 0.45);
  EXPECT_NEAR(choice->score, 1e-4, 1e-12);
}

TEST(SearchAlphaTest, RefinementStaysInsideTheGrid) {
  const auto rising =
      SearchAlpha({{0, 0.5}, 0.1}, [](double alpha) { return absl::StatusOr<double>(alpha); });
  EXPECT_EQ(rising->alpha, 0);
  EXPECT_THAT(rising->curve, ElementsAre(Pair(0, 0), Pair(0.1, 0.1), Pair(0.5, 0.5)));
}

TEST(SearchAlphaTest, TiesGoToTheSmallerAlphaAndOneValueIsTaken) {
  const auto flat = SearchAlpha({{0.1, 0.2}, 0}, [](double) { return absl::StatusOr<double>(1.0); });
  EXPECT_EQ(flat->alpha, 0.1);
  EXPECT_EQ(SearchAlpha({{0.7}, 0}, Parabola)->alpha, 0.7);
}

TEST(SearchAlphaTest, AnErrorEndsTheSearch) {
  const auto choice = SearchAlpha({{0, 1}, 0}, [](double) -> absl::StatusOr<double> {
    return MakeError(Reason::kNumericalFailure, "no");
  });
  EXPECT_TRUE(HasReason(choice.status(), Reason::kNumericalFailure));
}

UnitWork TwoLinears(int64_t rows) {
  UnitWork work;
  AddLinears(MakeProblem(rows, 64, 400, 3), LinearInput::kMlpIn, {rows / 2, rows / 2},
             MakeScheme(3, 32, true), &work);
  return work;
}

TEST(TransformScoreTest, OfAllRowsItIsTheRelativeErrorOfTheQuantizer) {
  const UnitWork work = TwoLinears(20);
  const GptqMethod gptq({});
  const Cancellation never;
  const TransformScore score(work, LinearInput::kMlpIn, 1000, gptq, never);
  const QuantizedUnit unit = *gptq.Quantize(work, never, {});
  double lost = 0, total = 0;
  const at::Tensor moments = work.statistics.at(LinearInput::kMlpIn).second_moment.to(at::kDouble);
  for (size_t i = 0; i < 2; ++i) {
    const at::Tensor weight = work.linears[i].weight.to(at::kDouble);
    const at::Tensor error = MatrixTensor(Dequantize(unit.linears[i]), 10, 64).to(at::kDouble) - weight;
    lost += (error.matmul(moments) * error).sum().item<double>();
    total += (weight.matmul(moments) * weight).sum().item<double>();
  }
  EXPECT_NEAR(*score(InputTransform()), lost / total, 1e-4 * lost / total);
}

TEST(TransformScoreTest, ScalingAllInputsAlikeChangesNothing) {
  const UnitWork work = TwoLinears(40);
  const GptqMethod gptq({});
  const Cancellation never;
  const TransformScore score(work, LinearInput::kMlpIn, 16, gptq, never);
  InputTransform doubled;
  doubled.scale = ConditioningScale(score.diagonal(), 0) * 2;
  // Powers of two change no rounding.
  EXPECT_DOUBLE_EQ(*score(doubled), *score(InputTransform()));
}

}  // namespace
}  // namespace heroq
