#include "worker/agent/capture_task.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/status/error_reason.h"
#include "tests/unit/worker/agent/task_fixture.h"
#include "worker/agent/statistics_reader.h"
#include "worker/agent/tensor_blobs.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNoCache = 0;
constexpr int64_t kLargeCache = int64_t{1} << 30;

class CaptureTaskTest : public TaskTest {
 protected:
  // Both blocks over all shards, cut into runs that end at `ends`; the results of the second block.
  std::vector<v1::TaskResult> RunBoth(const std::vector<int>& ends, int64_t cache_bytes) {
    HiddenStateCache cache(cache_bytes);
    std::vector<v1::TaskResult> previous;
    for (int block = 0; block < 2; ++block) {
      std::vector<v1::TaskResult> results;
      int begin = 0;
      for (const int end : ends) {
        results.push_back(Run(Capture(block, begin, end, previous), cache).value());
        begin = end;
      }
      previous = std::move(results);
    }
    return previous;
  }

  std::map<LinearInput, LayerStatistics> Sum(const std::vector<v1::TaskResult>& results) {
    google::protobuf::RepeatedPtrField<v1::StatisticsNode> nodes;
    for (const v1::TaskResult& result : results) nodes.MergeFrom(result.statistics());
    return ReadStatistics(blobs_, nodes, kShards).value();
  }
};

TEST_F(CaptureTaskTest, BytesDoNotDependOnHowShardsAreGrouped) {
  const std::vector<v1::TaskResult> whole = RunBoth({kShards}, kNoCache);
  const auto expected = Sum(whole);
  ASSERT_EQ(expected.size(), 4u);
  for (const std::vector<int>& ends : {std::vector<int>{1, 2, 3, 4, 5}, {4, 5}, {2, 5}, {3, 5}, {1, 4, 5}}) {
    for (const int64_t cache_bytes : {kNoCache, kLargeCache}) {
      const std::vector<v1::TaskResult> cut = RunBoth(ends, cache_bytes);
      for (int shard = 0; shard < kShards; ++shard) {
        EXPECT_EQ(HiddenOf(cut, shard).sha256(), HiddenOf(whole, shard).sha256());
      }
      for (const auto& [input, statistics] : Sum(cut)) {
        EXPECT_TRUE(at::equal(statistics.second_moment, expected.at(input).second_moment)) << ToString(input);
        EXPECT_EQ(statistics.token_count, kSequences * kLength);
      }
    }
  }
}

TEST_F(CaptureTaskTest, HandsInCanonicalNodesOfEveryInput) {
  HiddenStateCache cache(kNoCache);
  const v1::TaskResult result = Run(Capture(0, 1, 5), cache).value();
  // [1, 5) of 5 shards is [1, 2), [2, 4), [4, 5).
  EXPECT_EQ(result.statistics_size(), 4 * 3);
  std::map<std::string, std::string> ranges;
  for (const v1::StatisticsNode& node : result.statistics()) {
    ranges[node.input()] += std::to_string(node.shard_begin()) + "-" + std::to_string(node.shard_end()) + " ";
  }
  for (const char* input : {"attention_in", "attention_out", "mlp_in", "mlp_out"}) {
    EXPECT_EQ(ranges[input], "1-2 2-4 4-5 ") << input;
  }
  EXPECT_EQ(result.metrics().tokens(), 9 * kLength);
}

TEST_F(CaptureTaskTest, AnnouncesTheWeightsOfTheNextBlock) {
  HiddenStateCache cache(kLargeCache);
  const std::vector<v1::TaskResult> first = {Run(Capture(0, 0, 2), cache).value()};
  // q and o [64, 64], k and v [32, 64], gate and up [96, 64], down [64, 96], in bfloat16.
  EXPECT_EQ(files_.announced_bytes(), 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64));
  ASSERT_TRUE(Run(Capture(1, 0, 2, first), cache).ok());
  EXPECT_EQ(files_.announced_bytes(), 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64)) << "it has two blocks";
}

TEST_F(CaptureTaskTest, TheLastBlockNeedNotEmitHiddenStates) {
  HiddenStateCache cache(kNoCache);
  v1::CaptureTask task = Capture(0, 0, 2);
  task.set_emit_hidden_states(false);
  const v1::TaskResult result = Run(task, cache).value();
  EXPECT_EQ(result.outputs_size(), 0);
  EXPECT_EQ(result.statistics_size(), 4);
}

TEST_F(CaptureTaskTest, CachedHiddenStatesAreReadOnceAndSpareTheBlob) {
  HiddenStateCache cache(kLargeCache);
  const std::vector<v1::TaskResult> first = {Run(Capture(0, 0, 2), cache).value()};
  EXPECT_GT(cache.bytes(), 0);
  blobs_.Remove(DigestFromProto(HiddenOf(first, 0)));
  const v1::CaptureTask next = Capture(1, 0, 2, first);
  EXPECT_TRUE(Run(next, cache).ok());
  EXPECT_TRUE(HasReason(Run(next, cache).status(), Reason::kBlobMissing));
}

TEST_F(CaptureTaskTest, KeptRowsAreInTokenOrderHoweverShardsAreShared) {
  const auto kept = [&](const std::vector<int>& cuts) {
    google::protobuf::RepeatedPtrField<v1::StatisticsNode> nodes;
    int begin = 0;
    for (const int end : cuts) {
      HiddenStateCache cache(kNoCache);
      v1::CaptureTask task = Capture(0, begin, end);
      task.set_kept_tokens(10);
      const v1::TaskResult result = Run(task, cache).value();
      nodes.MergeFrom(result.statistics());
      begin = end;
    }
    return ReadStatistics(blobs_, nodes, kShards).value().at(LinearInput::kMlpOut).kept->rows();
  };
  const at::Tensor whole = kept({kShards});
  EXPECT_EQ(whole.sizes(), (std::vector<int64_t>{10 * kShards, 96}));
  EXPECT_EQ(whole.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(kept({1, 2, 3, 4, 5}), whole));
  EXPECT_TRUE(at::equal(kept({2, 5}), whole));
}

TEST_F(CaptureTaskTest, ValuesThatAreNotFiniteNameBlockShardAndInput) {
  const auto hidden = ParseHiddenStates(
      blobs_.Get(DigestFromProto(HiddenOf(RunBoth({kShards}, kNoCache), 1))).value(), "states");
  at::Tensor spoiled = hidden->clone();
  spoiled[0][3][5] = std::numeric_limits<float>::infinity();
  v1::CaptureTask task = Capture(1, 1, 2, RunBoth({kShards}, kNoCache));
  *task.mutable_hidden_states(0)->mutable_blob() = DigestToProto(PutHiddenStates(spoiled, blobs_).value());
  HiddenStateCache cache(kNoCache);
  const absl::Status status = Run(task, cache).status();
  EXPECT_TRUE(HasReason(status, Reason::kNumericalFailure)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("block 1, shard 1: input attention_in:"));
}

TEST_F(CaptureTaskTest, HiddenStatesOfAnotherShapeAreRefused) {
  const std::vector<v1::TaskResult> first = RunBoth({kShards}, kNoCache);
  v1::CaptureTask task = Capture(1, 0, 1, first);
  *task.mutable_hidden_states(0)->mutable_blob() = HiddenOf(first, 4);  // three sequences for a shard of two
  HiddenStateCache cache(kNoCache);
  EXPECT_TRUE(HasReason(Run(task, cache).status(), Reason::kInternal));
}

TEST_F(CaptureTaskTest, TasksOutsideTheJobAreRefused) {
  HiddenStateCache cache(kNoCache);
  for (const auto& [block, begin, end] :
       {std::array{2, 0, 1}, {-1, 0, 1}, {0, 0, 6}, {0, 3, 3}, {0, -1, 2}}) {
    v1::CaptureTask task = Capture(0, 0, 1);
    task.set_block(block);
    task.set_shard_begin(begin);
    task.set_shard_end(end);
    EXPECT_TRUE(HasReason(Run(task, cache).status(), Reason::kInternal))
        << block << " " << begin << " " << end;
  }
}

TEST_F(CaptureTaskTest, StopsWhenCancelled) {
  cancellation_.Cancel();
  HiddenStateCache cache(kNoCache);
  EXPECT_TRUE(HasReason(Run(Capture(0, 0, 1), cache).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
