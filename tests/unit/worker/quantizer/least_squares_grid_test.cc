#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/worker/quantizer/random_problem.h"
#include "worker/quantizer/grid.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

constexpr int64_t kTiny = 8;

double Loss(const float* weight, const float* importance, int64_t count, double scale, double zero,
            int max_code) {
  double sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    const double code =
        std::clamp(std::nearbyint(weight[j] / scale + zero), 0.0, static_cast<double>(max_code));
    const double error = weight[j] - scale * (code - zero);
    sum += importance[j] * error * error;
  }
  return sum;
}

// The smallest loss of any zero point, any codes and their best scale, s = sum h (q - z) w / sum h (q - z)^2.
double Exhaustive(const float* weight, const float* importance, int bits, bool symmetric) {
  const int levels = 1 << bits;
  double energy = 0;
  for (int64_t j = 0; j < kTiny; ++j) energy += static_cast<double>(importance[j]) * weight[j] * weight[j];
  double gain = 0;
  for (int zero = symmetric ? levels / 2 : 0; zero < (symmetric ? levels / 2 + 1 : levels); ++zero) {
    for (int64_t codes = 0; codes < int64_t{1} << (bits * kTiny); ++codes) {
      double product = 0;
      double square = 0;
      for (int64_t j = 0; j < kTiny; ++j) {
        const double level = static_cast<double>((codes >> (bits * j)) & (levels - 1)) - zero;
        product += importance[j] * level * weight[j];
        square += importance[j] * level * level;
      }
      if (product > 0) gain = std::max(gain, product * product / square);
    }
  }
  return energy - gain;
}

class TinyGroupsTest : public ::testing::TestWithParam<bool> {};

TEST_P(TinyGroupsTest, MedianLossIsCloseToExhaustiveSearch) {
  constexpr int64_t kGroups = 48;
  const RandomProblem problem = MakeProblem(kGroups, kTiny, 40, 17);
  const std::vector<float> importance = problem.Diagonal();
  QuantScheme scheme = MakeScheme(2, kTiny, GetParam());
  // Eleven bits of mantissa: rounding the scale costs next to nothing.
  scheme.scale_type = ScaleType::kF16;
  const auto grid = MakeGrid(KernelsFor(BestIsa()), problem.weight, kGroups, kTiny, scheme,
                             {GridSearch::kLeastSquares, importance}, "layer");
  ASSERT_TRUE(grid.ok()) << grid.status();
  std::vector<double> ratios;
  for (int64_t row = 0; row < kGroups; ++row) {
    const float* weight = problem.weight.data() + row * kTiny;
    const double found = Loss(weight, importance.data(), kTiny, grid->scales[row], grid->zeros[row], 3);
    const double best = Exhaustive(weight, importance.data(), 2, GetParam());
    EXPECT_GE(found, best * (1 - 1e-5));
    ratios.push_back(found / best);
  }
  std::nth_element(ratios.begin(), ratios.begin() + kGroups / 2, ratios.end());
  EXPECT_LE(ratios[kGroups / 2], 1.05);
}

INSTANTIATE_TEST_SUITE_P(Grids, TinyGroupsTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Symmetric" : "Asymmetric"; });

TEST(LeastSquaresGridTest, BeatsTheShrinkSearchOnTheWholeWherePrecisionIsLow) {
  const RandomProblem problem = MakeProblem(96, 256, 300, 3);
  const std::vector<float> importance = problem.Diagonal();
  for (const int bits : {2, 3}) {
    const QuantScheme scheme = MakeScheme(bits, 32, false);
    double total[2] = {};
    for (const GridSearch search : {GridSearch::kShrink, GridSearch::kLeastSquares}) {
      const auto grid =
          MakeGrid(KernelsFor(BestIsa()), problem.weight, 96, 256, scheme, {search, importance}, "layer");
      for (int64_t group = 0; group < 96 * 8; ++group) {
        total[search == GridSearch::kLeastSquares] +=
            Loss(problem.weight.data() + group * 32, importance.data() + group % 8 * 32, 32,
                 grid->scales[group], grid->zeros[group], scheme.max_code());
      }
    }
    EXPECT_LT(total[1], total[0]) << bits;
  }
}

TEST(LeastSquaresGridTest, WeightsOnAGridAreFoundExactly) {
  // Codes 0..7 of s = 0.25, z = 2, not all at the ends of the range.
  std::vector<float> weight;
  for (int j = 0; j < 32; ++j) weight.push_back(0.25f * static_cast<float>(j * 5 % 8 - 2));
  const auto grid = MakeGrid(KernelsFor(BestIsa()), weight, 1, 32, MakeScheme(3, 32, false),
                             {GridSearch::kLeastSquares}, "layer");
  ASSERT_TRUE(grid.ok());
  EXPECT_EQ(grid->scales[0], 0.25f);
  EXPECT_EQ(grid->zeros[0], 2);
}

TEST(LeastSquaresGridTest, DampedRoundsGiveAnotherGridThatStillNeverLosesToMinMax) {
  const RandomProblem problem = MakeProblem(48, 64, 100, 4);
  const std::vector<float> importance = problem.Diagonal();
  const QuantScheme scheme = MakeScheme(2, 64, false);
  const auto damped =
      MakeGrid(KernelsFor(BestIsa()), problem.weight, 48, 64, scheme,
               {GridSearch::kLeastSquares, importance, {.rounds = 9, .damped = true}}, "layer");
  const auto undamped = MakeGrid(KernelsFor(BestIsa()), problem.weight, 48, 64, scheme,
                                 {GridSearch::kLeastSquares, importance}, "layer");
  const auto plain =
      MakeGrid(KernelsFor(BestIsa()), problem.weight, 48, 64, scheme, {GridSearch::kMinMax}, "layer");
  EXPECT_NE(damped->scales, undamped->scales);
  for (int64_t row = 0; row < 48; ++row) {
    const float* weight = problem.weight.data() + row * 64;
    EXPECT_LE(Loss(weight, importance.data(), 64, damped->scales[row], damped->zeros[row], 3),
              Loss(weight, importance.data(), 64, plain->scales[row], plain->zeros[row], 3) * (1 + 1e-4));
  }
}

TEST(LeastSquaresGridTest, EveryVariantOfTheKernelFindsGridsOfTheSameQuality) {
  const RandomProblem problem = MakeProblem(50, 96, 150, 8);
  const std::vector<float> importance = problem.Diagonal();
  std::vector<double> totals;
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (!IsSupported(isa)) continue;
    const auto grid = MakeGrid(KernelsFor(isa), problem.weight, 50, 96, MakeScheme(3, 32, false),
                               {GridSearch::kLeastSquares, importance}, "layer");
    double total = 0;
    for (int64_t group = 0; group < 50 * 3; ++group) {
      total += Loss(problem.weight.data() + group * 32, importance.data() + group % 3 * 32, 32,
                    grid->scales[group], grid->zeros[group], 7);
    }
    totals.push_back(total);
  }
  for (const double total : totals) EXPECT_NEAR(total, totals.front(), 1e-3 * totals.front());
}

}  // namespace
}  // namespace heroq
