#include "worker/methods/alpha_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::SizeIs;

absl::StatusOr<double> Parabola(double alpha, int64_t) { return std::pow(alpha - 0.34, 2); }

AlphaGrid OneRound(std::vector<double> alphas, double refine_step) {
  return {std::move(alphas), refine_step, 8, 8, 1};
}

TEST(AlphaSearchTest, TheBetterHalfIsScoredOnTwiceTheRows) {
  std::vector<std::pair<double, int64_t>> asked;
  const AlphaGrid grid = {{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, 0, 16, 128, 1};
  const auto choice = SearchAlpha(grid, [&](double alpha, int64_t rows) {
    asked.emplace_back(alpha, rows);
    return Parabola(alpha, rows);
  });
  ASSERT_TRUE(choice.ok());
  const std::vector<std::pair<double, int64_t>> rounds(asked.begin() + 9, asked.end());
  EXPECT_THAT(rounds,
              ElementsAre(std::pair(0.1, 32), std::pair(0.2, 32), std::pair(0.3, 32), std::pair(0.4, 32),
                          std::pair(0.5, 32), std::pair(0.2, 64), std::pair(0.3, 64), std::pair(0.4, 64),
                          std::pair(0.3, 128), std::pair(0.4, 128)));
  ASSERT_THAT(choice->ranking, SizeIs(2));
  EXPECT_EQ(choice->ranking[0].alpha, 0.3);
  EXPECT_EQ(choice->ranking[1].alpha, 0.4);
  EXPECT_THAT(choice->curve, SizeIs(19));
  EXPECT_THAT(choice->curve.front(), FieldsAre(0, 0.34 * 0.34, 16));
  EXPECT_EQ(choice->curve.back().rows, 128);
}

TEST(AlphaSearchTest, MoreRowsDecideBetweenTheBestOfFewer) {
  // On few rows 0.2 looks best, on all 0.6 is; 0.8 would be better still, but is out by then.
  const auto loss = [](double alpha, int64_t rows) -> absl::StatusOr<double> {
    return rows < 64 ? std::abs(alpha - 0.35) : 1 - alpha;
  };
  const auto choice = SearchAlpha({{0, 0.2, 0.6, 0.8}, 0, 16, 64, 1}, loss);
  EXPECT_EQ(choice->ranking.front().alpha, 0.6);
}

TEST(AlphaSearchTest, AsManyAsAreWantedReachAllRows) {
  for (const int candidates : {1, 2, 3, 4}) {
    const auto choice = SearchAlpha({{0, 0.2, 0.4, 0.6}, 0, 1, 64, candidates}, Parabola);
    EXPECT_THAT(choice->ranking, SizeIs(std::max(2, candidates)));
    for (const AlphaScore& score : choice->ranking) EXPECT_EQ(score.rows, 64);
  }
}

TEST(AlphaSearchTest, TheGridsBestIsRefinedOnBothSides) {
  const auto choice = SearchAlpha(OneRound({0, 0.2, 0.4, 0.6}, 0.05), Parabola);
  ASSERT_TRUE(choice.ok());
  EXPECT_DOUBLE_EQ(choice->ranking.front().alpha, 0.35);
  EXPECT_NEAR(choice->ranking.front().loss, 1e-4, 1e-12);
  ASSERT_THAT(choice->curve, SizeIs(6));
  EXPECT_DOUBLE_EQ(choice->curve[2].alpha, 0.35);
  EXPECT_DOUBLE_EQ(choice->curve[4].alpha, 0.45);
}

TEST(AlphaSearchTest, RefinementStaysInsideTheGrid) {
  const auto rising = SearchAlpha(OneRound({0, 0.5}, 0.1),
                                  [](double alpha, int64_t) { return absl::StatusOr<double>(alpha); });
  EXPECT_EQ(rising->ranking.front().alpha, 0);
  EXPECT_THAT(rising->curve, ElementsAre(FieldsAre(0, 0, 8), FieldsAre(0.1, 0.1, 8), FieldsAre(0.5, 0.5, 8)));
}

TEST(AlphaSearchTest, TiesGoToTheSmallerAlphaAndOneValueIsTaken) {
  const auto flat = [](double, int64_t) { return absl::StatusOr<double>(1.0); };
  EXPECT_EQ(SearchAlpha({{0.1, 0.2, 0.3, 0.4}, 0, 1, 8, 1}, flat)->ranking.front().alpha, 0.1);
  const auto one = SearchAlpha({{0.7}, 0, 1, 8, 1}, Parabola);
  EXPECT_EQ(one->ranking.front().alpha, 0.7);
  EXPECT_THAT(one->curve, ElementsAre(FieldsAre(0.7, testing::DoubleNear(0.1296, 1e-12), 8)));
}

TEST(AlphaSearchTest, AnErrorEndsTheSearch) {
  const auto choice = SearchAlpha(OneRound({0, 1}, 0), [](double, int64_t) -> absl::StatusOr<double> {
    return MakeError(Reason::kNumericalFailure, "no");
  });
  EXPECT_TRUE(HasReason(choice.status(), Reason::kNumericalFailure));
}

}  // namespace
}  // namespace heroq
