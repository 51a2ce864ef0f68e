#include "coordinator/scheduling/result_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "coordinator/scheduling/lease_builder.h"
#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class ResultCheckTest : public testing::Test {
 protected:
  ResultCheckTest() { fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 4, .evaluation_sequences = 2})); }

  std::vector<int> Indices(const std::vector<std::string>& ids) const {
    std::vector<int> tasks;
    for (const std::string& id : ids) tasks.push_back(fixture_.Job("a").graph->Find(id).value());
    return tasks;
  }
  std::string Check(const std::vector<std::string>& ids, const v1::TaskResult& result) const {
    return std::string(CheckResult(fixture_.Job("a"), Indices(ids), result).message());
  }
  v1::TaskResult Correct(const std::vector<std::string>& ids) const {
    return TestResult(*BuildTask(fixture_.Job("a"), Indices(ids)), 4);
  }

  StateFixture fixture_;
};

TEST_F(ResultCheckTest, CorrectResultsPass) {
  EXPECT_EQ(Check({"capture/0/1", "capture/0/2"}, Correct({"capture/0/1", "capture/0/2"})), "");
  EXPECT_EQ(Check({"evaluate/1"}, Correct({"evaluate/1"})), "");
}

TEST_F(ResultCheckTest, CaptureNeedsHiddenStatesOfEveryShard) {
  v1::TaskResult result = Correct({"capture/0/1", "capture/0/2"});
  result.mutable_outputs(1)->set_name("hidden/1");
  EXPECT_THAT(Check({"capture/0/1", "capture/0/2"}, result), HasSubstr("2 blobs for hidden/1"));
  result.mutable_outputs()->RemoveLast();
  EXPECT_THAT(Check({"capture/0/1", "capture/0/2"}, result), HasSubstr("0 blobs for hidden/2"));
}

TEST_F(ResultCheckTest, StatisticsCoverTheLeasedShardsOnceWithNodesOfTheTree) {
  const std::vector<std::string> tasks = {"capture/0/1", "capture/0/2"};
  v1::TaskResult missing = Correct(tasks);
  missing.mutable_statistics()->RemoveLast();
  EXPECT_THAT(Check(tasks, missing), HasSubstr("statistics of mlp_out that do not cover shards [1, 3)"));
  v1::TaskResult doubled = Correct(tasks);
  *doubled.add_statistics() = doubled.statistics(0);
  EXPECT_THAT(Check(tasks, doubled), HasSubstr("statistics of attention_in"));
  v1::TaskResult unaligned = Correct(tasks);
  unaligned.mutable_statistics(0)->set_shard_end(3);
  unaligned.mutable_statistics()->DeleteSubrange(1, 1);
  EXPECT_THAT(Check(tasks, unaligned), HasSubstr("nodes of the summation tree"));
  v1::TaskResult outside = Correct(tasks);
  EXPECT_THAT(Check({"capture/0/1"}, outside), HasSubstr("do not cover shards [1, 2)"));
}

TEST_F(ResultCheckTest, BlobsNeedDigests) {
  v1::TaskResult result = Correct({"capture/0/0"});
  result.mutable_statistics(0)->mutable_blob()->set_sha256("abc");
  EXPECT_THAT(Check({"capture/0/0"}, result), HasSubstr("without a digest"));
}

TEST_F(ResultCheckTest, QuantizeNeedsItsUnitAndAReportPerLinear) {
  v1::Task task;
  task.set_id("quantize/0/attention");
  for (const char* name : {"model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.o_proj"}) {
    task.mutable_quantize()->add_linears()->set_name(name);
  }
  v1::TaskResult result = TestResult(task, 4);
  EXPECT_EQ(Check({"quantize/0/attention"}, result), "");
  result.mutable_linears(0)->set_name("other");
  EXPECT_THAT(Check({"quantize/0/attention"}, result), HasSubstr("does not report each of its linears once"));
  result.clear_outputs();
  EXPECT_THAT(Check({"quantize/0/attention"}, result), HasSubstr("0 blobs for unit"));
}

TEST_F(ResultCheckTest, EvaluationNeedsTokensAndFiniteSums) {
  v1::TaskResult result = Correct({"evaluate/0"});
  result.mutable_evaluation()->set_kl_sum(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(Check({"evaluate/0"}, result), HasSubstr("no finite sums"));
  EXPECT_THAT(Check({"evaluate/0"}, v1::TaskResult()), HasSubstr("no finite sums"));
}

}  // namespace
}  // namespace heroq
