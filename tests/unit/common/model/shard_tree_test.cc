#include "common/model/shard_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace heroq {
namespace {

using ::testing::ElementsAre;

std::vector<ShardRange> AllNodes(const ShardRange& node) {
  std::vector<ShardRange> nodes = {node};
  if (node.size() > 1) {
    const int64_t middle = SplitPoint(node);
    for (const ShardRange& child : {ShardRange{node.begin, middle}, ShardRange{middle, node.end}}) {
      for (const ShardRange& below : AllNodes(child)) nodes.push_back(below);
    }
  }
  return nodes;
}

TEST(ShardTreeTest, SplitsAtTheLargestPowerOfTwoBelowTheSize) {
  EXPECT_EQ(SplitPoint({0, 2}), 1);
  EXPECT_EQ(SplitPoint({0, 3}), 2);
  EXPECT_EQ(SplitPoint({0, 8}), 4);
  EXPECT_EQ(SplitPoint({8, 13}), 12);
  EXPECT_EQ(SplitPoint({0, 9}), 8);
}

TEST(ShardTreeTest, ARunIsCoveredByTheFewestNodes) {
  EXPECT_THAT(CanonicalNodes(0, 8, 8), ElementsAre(ShardRange{0, 8}));
  EXPECT_THAT(CanonicalNodes(1, 7, 8),
              ElementsAre(ShardRange{1, 2}, ShardRange{2, 4}, ShardRange{4, 6}, ShardRange{6, 7}));
  EXPECT_THAT(CanonicalNodes(3, 4, 8), ElementsAre(ShardRange{3, 4}));
  // [0,7) = [0,4) + [4,7); [4,7) = [4,6) + [6,7).
  EXPECT_THAT(CanonicalNodes(2, 7, 7), ElementsAre(ShardRange{2, 4}, ShardRange{4, 7}));
  EXPECT_THAT(CanonicalNodes(5, 7, 7), ElementsAre(ShardRange{5, 6}, ShardRange{6, 7}));
}

TEST(ShardTreeTest, ExactlyTheNodesReachedFromTheRootAreNodes) {
  for (int64_t shards = 1; shards <= 20; ++shards) {
    const std::vector<ShardRange> nodes = AllNodes({0, shards});
    EXPECT_EQ(static_cast<int64_t>(nodes.size()), 2 * shards - 1);
    for (int64_t begin = -1; begin <= shards; ++begin) {
      for (int64_t end = begin; end <= shards + 1; ++end) {
        const ShardRange range{begin, end};
        const bool expected = std::find(nodes.begin(), nodes.end(), range) != nodes.end();
        EXPECT_EQ(IsTreeNode(range, shards), expected) << begin << " " << end << " of " << shards;
      }
    }
  }
}

TEST(ShardTreeTest, OnlySiblingsHaveAParent) {
  EXPECT_EQ(ParentOf({0, 4}, {4, 8}, 8), (ShardRange{0, 8}));
  EXPECT_EQ(ParentOf({4, 6}, {6, 7}, 7), (ShardRange{4, 7}));
  EXPECT_EQ(ParentOf({1, 2}, {2, 3}, 8), std::nullopt);
  EXPECT_EQ(ParentOf({0, 2}, {2, 3}, 8), std::nullopt);
  EXPECT_EQ(ParentOf({0, 1}, {2, 3}, 8), std::nullopt);
  EXPECT_EQ(ParentOf({2, 4}, {0, 2}, 8), std::nullopt);
}

// Any way of cutting the shards into runs, each run handing in its canonical nodes, joins back to the root
// alone.
TEST(ShardTreeTest, NodesOfAnyRunsJoinToTheRoot) {
  for (int64_t shards = 1; shards <= 10; ++shards) {
    for (int64_t cuts = 0; cuts < (int64_t{1} << (shards - 1)); ++cuts) {
      std::vector<ShardRange> stack;
      int64_t begin = 0;
      for (int64_t end = 1; end <= shards; ++end) {
        if (end < shards && (cuts >> (end - 1) & 1) == 0) continue;
        for (const ShardRange& node : CanonicalNodes(begin, end, shards)) {
          ASSERT_TRUE(IsTreeNode(node, shards));
          stack.push_back(node);
          while (stack.size() >= 2) {
            const auto parent = ParentOf(stack[stack.size() - 2], stack.back(), shards);
            if (!parent) break;
            stack.pop_back();
            stack.back() = *parent;
          }
        }
        begin = end;
      }
      EXPECT_THAT(stack, ElementsAre(ShardRange{0, shards}));
    }
  }
}

TEST(ShardTreeTest, ShardsPartitionTheSequences) {
  EXPECT_EQ(SequencesOfShard(0, 3, 8), (ShardRange{0, 2}));
  EXPECT_EQ(SequencesOfShard(1, 3, 8), (ShardRange{2, 5}));
  EXPECT_EQ(SequencesOfShard(2, 3, 8), (ShardRange{5, 8}));
}

}  // namespace
}  // namespace heroq
