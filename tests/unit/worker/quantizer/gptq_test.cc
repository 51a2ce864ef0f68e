#include "worker/quantizer/gptq.h"

#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "common/status/error_reason.h"
#include "tests/unit/worker/quantizer/random_problem.h"
#include "worker/quantizer/gptq_aten.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

struct Case {
  RandomProblem problem;
  QuantScheme scheme;
  double damping = 0.01;
  bool act_order = true;
};

ScaleGrid GridOf(const Case& test, const Kernels& kernels) {
  auto grid = MakeGrid(kernels, test.problem.weight, test.problem.rows, test.problem.columns, test.scheme,
                       {GridSearch::kShrink, test.problem.Diagonal()}, "layer");
  EXPECT_TRUE(grid.ok()) << grid.status();
  return *std::move(grid);
}

HessianFactor FactorOf(const Case& test, const Kernels& kernels) {
  auto factor = FactorHessian(kernels, test.problem.second_moment, test.problem.columns,
                              {test.damping, test.act_order, test.problem.tokens}, "layer");
  EXPECT_TRUE(factor.ok()) << factor.status();
  return *std::move(factor);
}

GptqSolution Solve(const Case& test, Isa isa = BestIsa()) {
  const Kernels& kernels = KernelsFor(isa);
  auto solution = SolveGptq(kernels, test.problem.weight, GridOf(test, kernels), FactorOf(test, kernels), {});
  EXPECT_TRUE(solution.ok()) << solution.status();
  return *std::move(solution);
}

// e H e^T of a row of codes, in float64.
double RowLoss(const Case& test, const ScaleGrid& grid, const std::vector<uint8_t>& codes, int64_t row) {
  const int64_t n = test.problem.columns;
  const int64_t length = test.scheme.group_length(n);
  std::vector<double> error(n);
  for (int64_t j = 0; j < n; ++j) {
    const int64_t group = row * grid.groups() + j / length;
    error[j] = grid.scales[group] * (static_cast<double>(codes[row * n + j]) - grid.zeros[group]) -
               test.problem.weight[row * n + j];
  }
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) loss += error[i] * test.problem.second_moment[i * n + j] * error[j];
  }
  return loss;
}

double SumOf(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double Agreement(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int64_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

TEST(GptqTest, LossIsTheErrorWeightedByTheUndampedSecondMoments) {
  for (const bool act_order : {false, true}) {
    for (const double damping : {0.01, 1.0}) {
      const Case test{MakeProblem(50, 128, 400, 1), MakeScheme(3, 32, false), damping, act_order};
      const GptqSolution solution = Solve(test);
      const ScaleGrid grid = GridOf(test, KernelsFor(BestIsa()));
      for (int64_t row = 0; row < 50; ++row) {
        const double expected = RowLoss(test, grid, solution.codes, row);
        EXPECT_NEAR(solution.loss[row], expected, 1e-3 * expected) << row;
      }
    }
  }
}

TEST(GptqTest, BeatsRoundingToNearestOnTheSameGrid) {
  const Case test{MakeProblem(20, 192, 800, 2), MakeScheme(4, 64, true)};
  const ScaleGrid grid = GridOf(test, KernelsFor(BestIsa()));
  const std::vector<uint8_t> nearest = RoundToGrid(test.problem.weight, grid);
  double rtn = 0;
  for (int64_t row = 0; row < 20; ++row) rtn += RowLoss(test, grid, nearest, row);
  EXPECT_LT(SumOf(Solve(test).loss), 0.8 * rtn);
}

TEST(GptqTest, CodesStayInRangeAtEveryWidthAndShape) {
  for (int bits = 2; bits <= 8; ++bits) {
    // Columns that fill neither a tile nor a panel, rows that fill no strip.
    const Case test{MakeProblem(51, 70, 200, 3),
                    MakeScheme(bits, bits % 2 == 0 ? kPerChannel : 10, bits > 4)};
    const GptqSolution solution = Solve(test);
    EXPECT_LE(*std::max_element(solution.codes.begin(), solution.codes.end()), test.scheme.max_code());
    const ScaleGrid grid = GridOf(test, KernelsFor(BestIsa()));
    const double expected = RowLoss(test, grid, solution.codes, 50);
    EXPECT_NEAR(solution.loss[50], expected, 2e-3 * expected) << bits;
  }
}

TEST(GptqTest, UncorrelatedInputsAreRoundedToNearest) {
  Case test{MakeProblem(60, 96, 1, 4), MakeScheme(4, 32, false)};
  test.problem.tokens = 1000;
  for (int64_t i = 0; i < 96; ++i) {
    for (int64_t j = 0; j < 96; ++j) test.problem.second_moment[i * 96 + j] = i == j ? 1.0f + i : 0.0f;
  }
  const ScaleGrid grid = GridOf(test, KernelsFor(BestIsa()));
  EXPECT_EQ(Solve(test).codes, RoundToGrid(test.problem.weight, grid));
}

TEST(GptqTest, WeightsOfDeadInputsAreKeptAndRoundedToNearest) {
  const Case test{MakeProblem(30, 64, 300, 5, {0, 10, 63}), MakeScheme(4, 32, false)};
  const std::vector<uint8_t> codes = Solve(test).codes;
  const std::vector<uint8_t> nearest = RoundToGrid(test.problem.weight, GridOf(test, KernelsFor(BestIsa())));
  EXPECT_NE(codes, nearest);
  for (int64_t row = 0; row < 30; ++row) {
    for (const int64_t column : {0, 10, 63}) EXPECT_EQ(codes[row * 64 + column], nearest[row * 64 + column]);
  }
}

TEST(GptqTest, ZeroWeightsStayZeroWithoutLoss) {
  Case test{MakeProblem(10, 64, 300, 6), MakeScheme(4, 32, false)};
  std::fill(test.problem.weight.begin(), test.problem.weight.end(), 0.0f);
  const GptqSolution solution = Solve(test);
  EXPECT_EQ(solution.codes, std::vector<uint8_t>(640, 8));
  EXPECT_EQ(SumOf(solution.loss), 0);
}

TEST(GptqTest, ConstantRowsOnTheirGridAreReproducedExactly) {
  Case test{MakeProblem(10, 64, 300, 7), MakeScheme(4, 32, false)};
  // The range [0, 15/16] in 15 steps: a scale of 1/16, which bf16 holds.
  std::fill(test.problem.weight.begin(), test.problem.weight.end(), 0.9375f);
  const GptqSolution solution = Solve(test);
  EXPECT_EQ(solution.codes, std::vector<uint8_t>(640, 15));
  EXPECT_EQ(SumOf(solution.loss), 0);
}

TEST(GptqTest, FewerTokensThanInputsGiveAFiniteImprovement) {
  const Case test{MakeProblem(20, 128, 30, 8), MakeScheme(4, 32, false)};
  const ScaleGrid grid = GridOf(test, KernelsFor(BestIsa()));
  const GptqSolution solution = Solve(test);
  double direct = 0;
  double rtn = 0;
  const std::vector<uint8_t> nearest = RoundToGrid(test.problem.weight, grid);
  for (int64_t row = 0; row < 20; ++row) {
    direct += RowLoss(test, grid, solution.codes, row);
    rtn += RowLoss(test, grid, nearest, row);
  }
  EXPECT_LT(direct, 0.5 * rtn);
}

TEST(GptqTest, StackedLinearsEqualSeparateOnes) {
  const Case all{MakeProblem(100, 96, 300, 9), MakeScheme(3, 32, false)};
  const GptqSolution stacked = Solve(all);
  int64_t begin = 0;
  for (const int64_t rows : {int64_t{60}, int64_t{40}}) {
    Case part = all;
    part.problem.rows = rows;
    part.problem.weight.assign(all.problem.weight.begin() + begin * 96,
                               all.problem.weight.begin() + (begin + rows) * 96);
    const GptqSolution alone = Solve(part);
    EXPECT_TRUE(std::equal(alone.codes.begin(), alone.codes.end(), stacked.codes.begin() + begin * 96));
    EXPECT_TRUE(std::equal(alone.loss.begin(), alone.loss.end(), stacked.loss.begin() + begin));
    begin += rows;
  }
}

TEST(GptqTest, InstructionSetsAgree) {
  const Case test{MakeProblem(100, 384, 900, 10), MakeScheme(4, 64, false)};
  const GptqSolution portable = Solve(test, Isa::kPortable);
  if (!IsSupported(Isa::kAvx2)) GTEST_SKIP() << "this machine has no AVX2";
  const GptqSolution avx2 = Solve(test, Isa::kAvx2);
  EXPECT_GT(Agreement(portable.codes, avx2.codes), 0.998);
  EXPECT_NEAR(SumOf(portable.loss), SumOf(avx2.loss), 1e-3 * SumOf(avx2.loss));
  if (!IsSupported(Isa::kAvx512)) GTEST_SKIP() << "this machine has no AVX-512";
  EXPECT_GT(Agreement(Solve(test, Isa::kAvx512).codes, avx2.codes), 0.998);
}

TEST(GptqTest, DeviceGenericVariantAgreesWithTheKernels) {
  for (const bool act_order : {false, true}) {
    const Case test{MakeProblem(60, 416, 900, 11, {5}), MakeScheme(4, 32, false), 0.01, act_order};
    const GptqSolution kernels = Solve(test);
    RandomProblem problem = test.problem;
    const at::Tensor moment = at::from_blob(problem.second_moment.data(), {416, 416}, at::kFloat);
    const at::Tensor weight = at::from_blob(problem.weight.data(), {60, 416}, at::kFloat);
    auto factor = FactorHessianOnDevice(moment, {0.01, act_order, problem.tokens}, "layer");
    ASSERT_TRUE(factor.ok()) << factor.status();
    EXPECT_EQ(factor->damping.dead_inputs, 1);
    auto device = SolveGptqOnDevice(weight, GridOf(test, KernelsFor(BestIsa())), *factor, {});
    ASSERT_TRUE(device.ok()) << device.status();
    EXPECT_GT(Agreement(kernels.codes, device->codes), 0.998);
    for (int64_t row = 0; row < 60; ++row)
      EXPECT_NEAR(device->loss[row], kernels.loss[row], 0.02 * kernels.loss[row]);
    EXPECT_NEAR(SumOf(device->loss), SumOf(kernels.loss), 1e-3 * SumOf(kernels.loss));
  }
}

TEST(GptqTest, CancellationStopsBothVariants) {
  const Case test{MakeProblem(5, 32, 100, 12), MakeScheme(4, 32, false)};
  const Cancellation cancellation;
  cancellation.Cancel();
  const Kernels& kernels = KernelsFor(BestIsa());
  const ScaleGrid grid = GridOf(test, kernels);
  EXPECT_TRUE(
      HasReason(SolveGptq(kernels, test.problem.weight, grid, FactorOf(test, kernels), cancellation).status(),
                Reason::kCancelled));
  RandomProblem problem = test.problem;
  const at::Tensor moment = at::from_blob(problem.second_moment.data(), {32, 32}, at::kFloat);
  const at::Tensor weight = at::from_blob(problem.weight.data(), {5, 32}, at::kFloat);
  auto factor = FactorHessianOnDevice(moment, {}, "layer");
  ASSERT_TRUE(factor.ok()) << factor.status();
  EXPECT_TRUE(HasReason(SolveGptqOnDevice(weight, grid, *factor, cancellation).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
