#include "coordinator/client/suggestion.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(SuggestionTest, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("bist", "bits"), 1);
  EXPECT_EQ(EditDistance("watch", "watch"), 0);
}

TEST(SuggestionTest, NearestCandidateIsFound) {
  const std::vector<std::string> commands = {"quantize", "plan", "wait", "watch"};
  EXPECT_EQ(ClosestName("quantise", commands), "quantize");
  EXPECT_EQ(ClosestName("wacth", commands), "watch");
  EXPECT_EQ(ClosestName("wai", commands), "wait");
}

TEST(SuggestionTest, FarNamesSuggestNothing) {
  EXPECT_EQ(ClosestName("deploy", {"quantize", "plan"}), "");
  EXPECT_EQ(ClosestName("x", {"quantize"}), "");
  EXPECT_EQ(DidYouMean("deploy", {"quantize"}), "");
  EXPECT_EQ(DidYouMean("plam", {"quantize", "plan"}), " Did you mean plan?");
}

}  // namespace
}  // namespace heroq
