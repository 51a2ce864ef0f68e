#include "coordinator/state/statistics_cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

v1::TaskResult Nodes(const std::vector<std::pair<int, int>>& ranges) {
  v1::TaskResult result;
  for (const auto& [begin, end] : ranges) {
    v1::StatisticsNode& node = *result.add_statistics();
    node.set_input("mlp_out");
    node.set_shard_begin(begin);
    node.set_shard_end(end);
  }
  return result;
}

std::vector<std::pair<int, int>> Cover(const StateFixture& fixture, const std::string& input) {
  const JobRecord& job = fixture.Job("a");
  std::vector<std::pair<int, int>> ranges;
  const int quantize = job.graph->Find("quantize/0/mlp").value();
  for (const v1::StatisticsNode& node :
       StatisticsCover(job, job.graph->nodes()[quantize].dependencies, input)) {
    ranges.emplace_back(node.shard_begin(), node.shard_end());
  }
  return ranges;
}

TEST(StatisticsCoverTest, NodesOfAllLeasesInShardOrder) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 4}));
  fixture.Finish("a", {"capture/0/3"}, Nodes({{3, 4}}));
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0", "capture/0/1", "capture/0/2"});
  ASSERT_TRUE(fixture.Apply(CompleteUpdate(lease, Nodes({{0, 2}, {2, 3}}))).ok());
  EXPECT_THAT(Cover(fixture, "mlp_out"),
              testing::ElementsAre(testing::Pair(0, 2), testing::Pair(2, 3), testing::Pair(3, 4)));
  EXPECT_THAT(Cover(fixture, "attention_in"), testing::IsEmpty());
}

TEST(StatisticsCoverTest, ShardReportedTwiceCountsOnce) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 2}));
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0", "capture/0/1"});
  ASSERT_TRUE(fixture.Apply(CompleteUpdate(lease, Nodes({{0, 2}}))).ok());
  v1::Update lost;
  lost.mutable_blobs_lost()->set_job_id("a");
  lost.mutable_blobs_lost()->add_task_ids("capture/0/0");
  ASSERT_TRUE(fixture.Apply(lost).ok());
  fixture.Finish("a", {"capture/0/0"}, Nodes({{0, 1}}));
  EXPECT_THAT(Cover(fixture, "mlp_out"), testing::ElementsAre(testing::Pair(0, 2)));
}

}  // namespace
}  // namespace heroq
