#include "worker/quantizer/hessian_factor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/status/error_reason.h"
#include "tests/unit/worker/quantizer/random_problem.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Kernels& Best() { return KernelsFor(BestIsa()); }

// U from pivots and feedback, [inputs, inputs] row-major.
std::vector<double> UpperFactor(const HessianFactor& factor) {
  const int64_t n = factor.inputs;
  std::vector<double> upper(n * n);
  for (int64_t j = 0; j < n; ++j) {
    const double root = std::sqrt(factor.pivots[j]);
    const float* tile = factor.feedback.data() + FeedbackOffset(j / kTileColumns);
    for (int64_t i = 0; i < j; ++i) upper[i * n + j] = tile[i * kTileColumns + j % kTileColumns] * root;
    upper[j * n + j] = root;
  }
  return upper;
}

void ExpectFactorOf(const RandomProblem& problem, const HessianFactor& factor, double tolerance) {
  const int64_t n = problem.columns;
  const std::vector<double> upper = UpperFactor(factor);
  double mean = 0;
  for (const float value : problem.Diagonal()) mean += value / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double product = 0;
      for (int64_t k = 0; k < n; ++k) product += upper[i * n + k] * upper[j * n + k];
      const double expected =
          problem.second_moment[factor.order[i] * n + factor.order[j]] + (i == j ? factor.damping.shift : 0);
      EXPECT_NEAR(product / mean, expected / mean, tolerance);
    }
  }
}

TEST(HessianFactorTest, FactorTimesItsTransposeIsTheDampedPermutedHessian) {
  for (const int64_t columns : {5, 48, 100}) {
    const RandomProblem problem = MakeProblem(1, columns, 3 * columns, 1);
    for (const bool act_order : {false, true}) {
      auto factor =
          FactorHessian(Best(), problem.second_moment, columns, {0.02, act_order, problem.tokens}, "x");
      ASSERT_TRUE(factor.ok()) << factor.status();
      EXPECT_DOUBLE_EQ(factor->damping.damping(), 0.02);
      ExpectFactorOf(problem, *factor, 5e-5);
    }
  }
}

TEST(HessianFactorTest, FewTokensOrLittleDampingMeanFloat64) {
  // One token of ones: rank one, and a shift of 1e-8 that float32 loses beside 1.
  const std::vector<float> ones(64 * 64, 1.0f);
  for (const int64_t tokens : {1, 1000000}) {
    auto factor = FactorHessian(Best(), ones, 64, {1e-8, false, tokens}, "x");
    ASSERT_TRUE(factor.ok()) << factor.status();
    EXPECT_THAT(factor->damping.rungs, ElementsAre(1e-8)) << tokens;
  }
}

TEST(HessianFactorTest, ActOrderSortsByDecreasingDiagonalWithTiesByIndex) {
  EXPECT_THAT(HandlingOrder({1.0f, 3.0f, 3.0f, 0.0f, 5.0f}, true), ElementsAre(4, 1, 2, 0, 3));
  EXPECT_THAT(HandlingOrder({1.0f, 3.0f, 3.0f}, false), ElementsAre(0, 1, 2));
}

TEST(HessianFactorTest, LadderClimbsTenfoldUpToOne) {
  EXPECT_THAT(DampingLadder(0.01), ElementsAre(0.01, 0.1, 1.0));
  EXPECT_THAT(DampingLadder(0.05), ElementsAre(0.05, 0.5, 1.0));
  EXPECT_THAT(DampingLadder(1.0), ElementsAre(1.0));
}

TEST(HessianFactorTest, EveryRungTriedIsRecorded) {
  // Eigenvalues 1.5 and -0.05 around a mean diagonal of 0.725: positive definite from damping 0.069 on.
  const std::vector<float> matrix = {0.725f, 0.775f, 0.775f, 0.725f};
  auto factor = FactorHessian(Best(), matrix, 2, {0.01, true, 1000}, "x");
  ASSERT_TRUE(factor.ok()) << factor.status();
  EXPECT_THAT(factor->damping.rungs, ElementsAre(0.01, 0.1));
  EXPECT_TRUE(factor->damping.raised());
  EXPECT_NEAR(factor->damping.shift, 0.0725, 1e-7);
}

TEST(HessianFactorTest, AnExhaustedLadderIsAnErrorNamingLinearAndRungs) {
  const std::vector<float> matrix = {1, 9, 9, 1};
  const auto factor = FactorHessian(Best(), matrix, 2, {0.01, true, 1000}, "model.layers.3.o_proj");
  EXPECT_TRUE(HasReason(factor.status(), Reason::kNumericalFailure));
  EXPECT_THAT(std::string(factor.status().message()), HasSubstr("model.layers.3.o_proj"));
  EXPECT_THAT(std::string(factor.status().message()), HasSubstr("0.01, 0.1, 1"));
}

TEST(HessianFactorTest, DeadInputsAreCountedAndDecoupled) {
  const RandomProblem problem = MakeProblem(1, 20, 100, 4, {3, 17});
  auto factor = FactorHessian(Best(), problem.second_moment, 20, {0.01, false, 100}, "x");
  ASSERT_TRUE(factor.ok()) << factor.status();
  EXPECT_EQ(factor->damping.dead_inputs, 2);
  const std::vector<double> upper = UpperFactor(*factor);
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(upper[i * 20 + 17] != 0, i == 17) << i;
    EXPECT_EQ(upper[3 * 20 + i] != 0, i == 3) << i;
  }
}

TEST(HessianFactorTest, SecondMomentsWithoutUseAreRefused) {
  const std::vector<float> zero(4, 0.0f);
  const absl::Status unused = FactorHessian(Best(), zero, 2, {}, "x").status();
  EXPECT_TRUE(HasReason(unused, Reason::kNumericalFailure));
  EXPECT_THAT(std::string(unused.message()), HasSubstr("every input is zero"));
  const std::vector<float> nan = {1, 0, 0, NAN};
  const absl::Status broken = FactorHessian(Best(), nan, 2, {}, "x").status();
  EXPECT_TRUE(HasReason(broken, Reason::kNumericalFailure));
  EXPECT_THAT(std::string(broken.message()), HasSubstr("second moment of input 1 is nan"));
  const std::vector<float> off_diagonal = {1, NAN, NAN, 1};
  EXPECT_TRUE(HasReason(FactorHessian(Best(), off_diagonal, 2, {}, "x").status(), Reason::kNumericalFailure));
  const std::vector<float> negative = {1, 0, 0, -1};
  EXPECT_TRUE(HasReason(FactorHessian(Best(), negative, 2, {}, "x").status(), Reason::kNumericalFailure));
}

}  // namespace
}  // namespace heroq
