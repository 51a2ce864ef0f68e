#include "worker/methods/degenerate_warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

InputStatistics Statistics(std::vector<float> diagonal, int64_t tokens) {
  InputStatistics statistics;
  statistics.dead_inputs = std::count(diagonal.begin(), diagonal.end(), 0.0f);
  statistics.diagonal = std::move(diagonal);
  statistics.token_count = tokens;
  return statistics;
}

TEST(DegenerateWarningsTest, AsManyTokensAsLiveInputsNeedNoWarning) {
  EXPECT_THAT(InputWarnings(Statistics({1, 2, 3}, 3)), ElementsAre());
}

TEST(DegenerateWarningsTest, DeadInputsAndMissingTokensAreCounted) {
  EXPECT_THAT(
      InputWarnings(Statistics({1, 0, 3, 0}, 3)),
      ElementsAre(HasSubstr("2 of 4 inputs were zero"), HasSubstr("3 calibration tokens for 4 inputs")));
}

TEST(DegenerateWarningsTest, AnInputThatIsDeadAltogetherHasOneWarning) {
  EXPECT_THAT(InputWarnings(Statistics({0, 0}, 1)), ElementsAre(HasSubstr("Every input was zero")));
}

TEST(DegenerateWarningsTest, InputsThatOnlyWeightAFitNeedLifeButNoNumberOfTokens) {
  EXPECT_THAT(WeightingWarnings(Statistics({1, 2, 3}, 1)), ElementsAre());
  EXPECT_THAT(WeightingWarnings(Statistics({1, 0, 3}, 1)), ElementsAre(HasSubstr("1 of 3 inputs were zero")));
  EXPECT_THAT(WeightingWarnings(Statistics({0, 0}, 1)),
              ElementsAre(HasSubstr("every weight counted the same")));
}

TEST(DegenerateWarningsTest, RowsOfZerosAreCountedWithNegativeZerosAmongThem) {
  EXPECT_THAT(WeightWarnings(std::vector<float>{0, 1, -0.0f, 0, 2, 0}, 3),
              ElementsAre("1 of 3 rows of the weight are zero."));
  EXPECT_THAT(WeightWarnings(std::vector<float>{0, 0, -0.0f, 0}, 2), ElementsAre("Every weight is zero."));
  EXPECT_THAT(WeightWarnings(std::vector<float>{1, 0, 0, 1}, 2), ElementsAre());
}

}  // namespace
}  // namespace heroq
