#include "common/tokenizer/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace heroq {
namespace {

using ::testing::ElementsAre;

// "the-final--countdown" cut at "-": the example by which the tokenizers library defines its behaviors.
constexpr absl::string_view kText = "the-final--countdown";

std::vector<std::string> Split(SplitBehavior behavior) {
  const std::vector<MatchRange> matches = {{{0, 3}, false}, {{3, 4}, true},   {{4, 9}, false},
                                           {{9, 10}, true}, {{10, 11}, true}, {{11, 20}, false}};
  std::vector<std::string> pieces;
  for (const TextRange& range : SplitAt(matches, behavior)) pieces.emplace_back(range.In(kText));
  return pieces;
}

TEST(SplitTest, RemovedDropsDelimiters) {
  EXPECT_THAT(Split(SplitBehavior::kRemoved), ElementsAre("the", "final", "countdown"));
}

TEST(SplitTest, IsolatedMakesEveryDelimiterAPiece) {
  EXPECT_THAT(Split(SplitBehavior::kIsolated), ElementsAre("the", "-", "final", "-", "-", "countdown"));
}

TEST(SplitTest, MergedWithPreviousTakesTheFirstDelimiterOfARun) {
  EXPECT_THAT(Split(SplitBehavior::kMergedWithPrevious), ElementsAre("the-", "final-", "-", "countdown"));
}

TEST(SplitTest, MergedWithNextTakesTheLastDelimiterOfARun) {
  EXPECT_THAT(Split(SplitBehavior::kMergedWithNext), ElementsAre("the", "-final", "-", "-countdown"));
}

TEST(SplitTest, ContiguousJoinsRunsOfDelimiters) {
  EXPECT_THAT(Split(SplitBehavior::kContiguous), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(SplitTest, BehaviorsAreSpelledAsInTheFile) {
  EXPECT_EQ(ParseSplitBehavior("MergedWithNext"), SplitBehavior::kMergedWithNext);
  EXPECT_EQ(ParseSplitBehavior("isolated"), std::nullopt);
}

}  // namespace
}  // namespace heroq
