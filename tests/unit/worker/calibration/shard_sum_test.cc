#include "worker/calibration/shard_sum.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

PackedStatistics Copy(const PackedStatistics& statistics) {
  return {statistics.upper.clone(), statistics.token_count};
}

// The definition of the tree, top-down.
PackedStatistics SumOfNode(const std::vector<PackedStatistics>& leaves, const ShardRange& node) {
  if (node.size() == 1) return Copy(leaves[node.begin]);
  const int64_t middle = SplitPoint(node);
  PackedStatistics sum = SumOfNode(leaves, {node.begin, middle});
  EXPECT_TRUE(AddRight(sum, SumOfNode(leaves, {middle, node.end})).ok());
  return sum;
}

std::vector<PackedStatistics> Leaves(int64_t shards) {
  std::vector<PackedStatistics> leaves;
  for (int64_t shard = 0; shard < shards; ++shard) leaves.push_back({at::randn({66}), shard + 1});
  return leaves;
}

TEST(ShardSumTest, AnyCutOfTheShardsIntoRunsGivesTheSameBits) {
  for (const int64_t shards : {1, 2, 3, 5, 6, 8, 11}) {
    const std::vector<PackedStatistics> leaves = Leaves(shards);
    const PackedStatistics expected = SumOfNode(leaves, {0, shards});
    // Bit i of `cuts` ends a run after shard i; each run is summed by a worker of its own.
    for (int64_t cuts = 0; cuts < (int64_t{1} << (shards - 1)); ++cuts) {
      ShardSum total(shards);
      ShardSum worker(shards);
      for (int64_t shard = 0; shard < shards; ++shard) {
        ASSERT_TRUE(worker.Push({{shard, shard + 1}, Copy(leaves[shard])}).ok());
        if (shard + 1 < shards && (cuts >> shard & 1) == 0) continue;
        for (ShardSum::Node& node : worker.TakeNodes()) ASSERT_TRUE(total.Push(std::move(node)).ok());
      }
      const std::vector<ShardSum::Node> nodes = total.TakeNodes();
      ASSERT_EQ(nodes.size(), 1u);
      EXPECT_TRUE(at::equal(nodes[0].statistics.upper, expected.upper)) << shards << " shards, cuts " << cuts;
      EXPECT_EQ(nodes[0].statistics.token_count, expected.token_count);
    }
  }
}

TEST(ShardSumTest, HandsInTheCanonicalNodes) {
  ShardSum sum(8);
  for (int64_t shard = 1; shard < 7; ++shard) {
    ASSERT_TRUE(sum.Push({{shard, shard + 1}, {at::randn({3}), 1}}).ok());
  }
  std::vector<ShardRange> ranges;
  for (const ShardSum::Node& node : sum.TakeNodes()) ranges.push_back(node.shards);
  EXPECT_EQ(ranges, CanonicalNodes(1, 7, 8));
}

TEST(ShardSumTest, RefusesWhatIsNoNodeOrLeavesAGap) {
  ShardSum sum(8);
  EXPECT_TRUE(HasReason(sum.Push({{1, 3}, {at::randn({3}), 1}}), Reason::kInternal));
  ASSERT_TRUE(sum.Push({{0, 1}, {at::randn({3}), 1}}).ok());
  EXPECT_TRUE(HasReason(sum.Push({{2, 3}, {at::randn({3}), 1}}), Reason::kInternal));
  EXPECT_TRUE(HasReason(sum.Push({{0, 1}, {at::randn({3}), 1}}), Reason::kInternal));
}

}  // namespace
}  // namespace heroq
