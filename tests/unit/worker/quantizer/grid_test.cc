#include "worker/quantizer/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/quant/half.h"
#include "common/status/error_reason.h"
#include "tests/unit/worker/quantizer/random_problem.h"

namespace heroq {
namespace {

ScaleGrid Grid(const std::vector<float>& weight, int64_t rows, const QuantScheme& scheme,
               const GridOptions& options) {
  const int64_t columns = static_cast<int64_t>(weight.size()) / rows;
  auto grid = MakeGrid(KernelsFor(BestIsa()), weight, rows, columns, scheme, options, "layer");
  EXPECT_TRUE(grid.ok()) << grid.status();
  return *std::move(grid);
}

// sum_j h_j (w_j - what_j)^2 over everything.
double Objective(const std::vector<float>& weight, const ScaleGrid& grid,
                 const std::vector<float>& importance) {
  double sum = 0;
  const int64_t length = grid.scheme.group_length(grid.columns);
  for (size_t at = 0; at < weight.size(); ++at) {
    const double scale = grid.scales[at / length];
    const double zero = grid.zeros[at / length];
    const double code = std::clamp(std::nearbyint(weight[at] / scale + zero), 0.0,
                                   static_cast<double>(grid.scheme.max_code()));
    const double error = weight[at] - scale * (code - zero);
    sum += importance[at % grid.columns] * error * error;
  }
  return sum;
}

TEST(GridTest, AsymmetricRangeHoldsZeroAndBothEnds) {
  // Range [-1, 2] over 15 steps: s = 0.2 (bf16 0.2001953125), z = round(1 / 0.2) = 5.
  const ScaleGrid grid = Grid({-1, 2, 0.5, 0}, 1, MakeScheme(4, 4, false), {.search = GridSearch::kMinMax});
  EXPECT_EQ(grid.scales[0], 0.2001953125f);
  EXPECT_EQ(grid.zeros[0], 5);
}

TEST(GridTest, RangeOfPositiveWeightsStartsAtZero) {
  // Range [0, 3]: s = 0.2, z = 0.
  const ScaleGrid grid = Grid({1, 2, 3, 1.5}, 1, MakeScheme(4, 4, false), {.search = GridSearch::kMinMax});
  EXPECT_EQ(grid.scales[0], 0.2001953125f);
  EXPECT_EQ(grid.zeros[0], 0);
}

TEST(GridTest, SymmetricScaleSpansTheLargestMagnitudeBothWays) {
  // amax 3 over 7.5 steps: s = 0.4 (bf16 0.400390625), z the middle code 8.
  const ScaleGrid grid = Grid({1, -3, 2, 0}, 1, MakeScheme(4, 4, true), {.search = GridSearch::kMinMax});
  EXPECT_EQ(grid.scales[0], 0.400390625f);
  EXPECT_EQ(grid.zeros[0], 8);
}

TEST(GridTest, GroupOfZerosGetsAPositiveScaleAndTheMiddleCode) {
  for (const bool symmetric : {false, true}) {
    for (const GridSearch search : {GridSearch::kMinMax, GridSearch::kShrink, GridSearch::kLeastSquares}) {
      const ScaleGrid grid = Grid({0, 0, 0, 0, 1, 1, 1, 1}, 1, MakeScheme(3, 4, symmetric), {search});
      EXPECT_EQ(grid.scales[0], 0.0078125f);
      EXPECT_EQ(grid.zeros[0], 4);
      EXPECT_GT(grid.scales[1], 0.1f);
    }
  }
}

TEST(GridTest, EveryScaleIsRepresentableInItsStoredType) {
  const RandomProblem problem = MakeProblem(50, 64, 1, 3);
  for (const ScaleType type : {ScaleType::kBf16, ScaleType::kF16}) {
    QuantScheme scheme = MakeScheme(4, 32, false);
    scheme.scale_type = type;
    const ScaleGrid grid = Grid(problem.weight, 50, scheme, {});
    for (const float scale : grid.scales) {
      EXPECT_EQ(scale,
                type == ScaleType::kBf16 ? Bf16ToFloat(FloatToBf16(scale)) : F16ToFloat(FloatToF16(scale)));
    }
  }
}

TEST(GridTest, SearchNeverLosesToTheMinMaxGridInAnyRow) {
  const RandomProblem problem = MakeProblem(60, 128, 200, 5);
  const std::vector<float> importance = problem.Diagonal();
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      const QuantScheme scheme = MakeScheme(bits, 128, symmetric);
      for (int64_t row = 0; row < 60; ++row) {
        const std::vector<float> weight(problem.weight.begin() + row * 128,
                                        problem.weight.begin() + (row + 1) * 128);
        const double plain = Objective(weight, Grid(weight, 1, scheme, {GridSearch::kMinMax}), importance);
        for (const GridSearch search : {GridSearch::kShrink, GridSearch::kLeastSquares}) {
          const double searched =
              Objective(weight, Grid(weight, 1, scheme, {search, importance}), importance);
          EXPECT_LE(searched, plain * (1 + 1e-4)) << bits << symmetric << row;
        }
      }
    }
  }
}

TEST(GridTest, SearchFindsTheBestOfItsShrinkFactors) {
  const RandomProblem problem = MakeProblem(1, 64, 100, 9);
  const std::vector<float> importance = problem.Diagonal();
  const QuantScheme scheme = MakeScheme(3, 64, false);
  const ScaleGrid found = Grid(problem.weight, 1, scheme, {GridSearch::kShrink, importance});
  ScaleGrid candidate = Grid(problem.weight, 1, scheme, {GridSearch::kMinMax});
  const auto [low, high] = std::minmax_element(problem.weight.begin(), problem.weight.end());
  const float range = (*high - *low) / 7;
  double best = 1e300;
  for (int i = 0; i <= 25; ++i) {
    candidate.scales[0] = Bf16ToFloat(FloatToBf16(range * (1.0f - static_cast<float>(i) * 0.02f)));
    best = std::min(best, Objective(problem.weight, candidate, importance));
  }
  EXPECT_NEAR(Objective(problem.weight, found, importance), best, 1e-5 * best);
  EXPECT_LT(found.shrink[0], 1.0f);
}

TEST(GridTest, ImportanceDecidesWhichWeightsTheSearchServes) {
  // One outlier among small weights: without importance on the outlier, the range shrinks to serve the
  // others.
  std::vector<float> weight(32, 0.0f);
  for (int i = 0; i < 32; ++i) weight[i] = 0.005f * static_cast<float>(i);
  weight[31] = 1.0f;
  std::vector<float> importance(32, 1.0f);
  importance[31] = 1e-9f;
  EXPECT_LT(Grid(weight, 1, MakeScheme(4, 32, false), {GridSearch::kShrink, importance}).shrink[0], 0.6f);
  importance.assign(32, 1e-9f);
  importance[31] = 1.0f;
  EXPECT_GT(Grid(weight, 1, MakeScheme(4, 32, false), {GridSearch::kShrink, importance}).shrink[0], 0.9f);
}

TEST(GridTest, ImportanceOfOnlyZerosCountsAsNone) {
  const RandomProblem problem = MakeProblem(3, 32, 1, 6);
  const std::vector<float> zeros(32, 0.0f);
  const ScaleGrid none = Grid(problem.weight, 3, MakeScheme(3, 32, false), {GridSearch::kShrink});
  EXPECT_EQ(Grid(problem.weight, 3, MakeScheme(3, 32, false), {GridSearch::kShrink, zeros}).scales,
            none.scales);
}

TEST(GridTest, ScaleThatDoesNotFitItsTypeIsAnErrorNamingTheLinear) {
  QuantScheme scheme = MakeScheme(2, 4, false);
  scheme.scale_type = ScaleType::kF16;
  const std::vector<float> weight = {0, 0, 3e5f, 0};
  const auto grid = MakeGrid(KernelsFor(BestIsa()), weight, 1, 4, scheme, {}, "model.layers.7.up");
  EXPECT_TRUE(HasReason(grid.status(), Reason::kNumericalFailure));
  EXPECT_NE(grid.status().message().find("model.layers.7.up"), std::string::npos);
}

TEST(GridTest, MeanShrinkAveragesTheGroupsOfSomeRows) {
  const ScaleGrid grid{MakeScheme(4, 2, false), 3, 4, {}, {}, {1.0f, 0.5f, 0.75f, 0.75f, 0.5f, 0.5f}};
  EXPECT_DOUBLE_EQ(MeanShrink(grid, 0, 2), 0.75);
  EXPECT_DOUBLE_EQ(MeanShrink(grid, 2, 1), 0.5);
}

}  // namespace
}  // namespace heroq
