#include "coordinator/planning/shard_split.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

std::vector<std::pair<size_t, size_t>> Split(const std::vector<int64_t>& bytes, int64_t max) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (const ShardPieces& shard : SplitIntoShards(bytes, max)) pairs.emplace_back(shard.begin, shard.end);
  return pairs;
}

using Ranges = std::vector<std::pair<size_t, size_t>>;

TEST(ShardSplitTest, FilesFillUpToTheLimitInOrder) {
  EXPECT_EQ(Split({4, 3, 3, 1, 9}, 10), (Ranges{{0, 3}, {3, 5}}));
  EXPECT_EQ(Split({4, 3, 3, 2, 9}, 10), (Ranges{{0, 3}, {3, 4}, {4, 5}}));
}

TEST(ShardSplitTest, OversizedPiecesStandAlone) {
  EXPECT_EQ(Split({1, 50, 1}, 10), (Ranges{{0, 1}, {1, 2}, {2, 3}}));
}

TEST(ShardSplitTest, NoPiecesNoFiles) { EXPECT_EQ(Split({}, 10), Ranges{}); }

TEST(ShardSplitTest, NamesAreTheHubs) {
  EXPECT_EQ(ShardName(0, 1), "model.safetensors");
  EXPECT_EQ(ShardName(1, 12), "model-00002-of-00012.safetensors");
}

}  // namespace
}  // namespace heroq
