#include "coordinator/state/blob_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Capture results as a worker would give them, with hidden states named "hidden <block>/<shard>" and one node
// of attention_in per range, named "node <block>/<begin>-<end>".
v1::TaskResult CaptureResult(int block, int begin, int end, bool hidden = true) {
  v1::TaskResult result;
  for (int shard = begin; hidden && shard < end; ++shard) {
    v1::NamedBlob& output = *result.add_outputs();
    output.set_name("hidden/" + std::to_string(shard));
    *output.mutable_digest() = TestDigest("hidden " + std::to_string(block) + "/" + std::to_string(shard));
  }
  v1::StatisticsNode& node = *result.add_statistics();
  node.set_input("attention_in");
  node.set_shard_begin(begin);
  node.set_shard_end(end);
  *node.mutable_blob() =
      TestDigest("node " + std::to_string(block) + "/" + std::to_string(begin) + "-" + std::to_string(end));
  return result;
}

v1::TaskResult UnitResult(const std::string& content) {
  v1::TaskResult result;
  v1::NamedBlob& output = *result.add_outputs();
  output.set_name("unit");
  *output.mutable_digest() = TestDigest(content);
  return result;
}

class BlobUseTest : public testing::Test {
 protected:
  BlobUseTest() { fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 2})); }

  void Capture(int block, bool hidden) {
    const std::string prefix = "capture/" + std::to_string(block) + "/";
    const v1::TaskLeased lease = fixture_.Lease("a", {prefix + "0", prefix + "1"});
    ASSERT_TRUE(fixture_.Apply(CompleteUpdate(lease, CaptureResult(block, 0, 2, hidden))).ok());
  }
  bool Needed(const std::string& content) const {
    return NeededBlobs(fixture_.Job("a")).count(TestDigest(content).sha256()) > 0;
  }
  std::vector<std::string> LostWithout(const std::set<std::string>& contents) const {
    std::set<std::string> gone;
    for (const std::string& content : contents) gone.insert(TestDigest(content).sha256());
    return LostTasks(fixture_.Job("a"),
                     [&](const v1::BlobDigest& blob) { return gone.count(blob.sha256()) == 0; });
  }

  StateFixture fixture_;
};

TEST_F(BlobUseTest, HiddenStatesAndStatisticsAreNeededUntilTheirLastReader) {
  Capture(0, true);
  EXPECT_TRUE(Needed("hidden 0/0"));
  EXPECT_TRUE(Needed("node 0/0-2"));
  EXPECT_TRUE(Needed("calibration tokens"));
  Capture(1, false);
  EXPECT_FALSE(Needed("hidden 0/0"));
  fixture_.Finish("a", {"quantize/0/attention"}, UnitResult("unit 0"));
  EXPECT_FALSE(Needed("node 0/0-2")) << "only attention reads attention_in";
  EXPECT_TRUE(Needed("node 1/0-2"));
  EXPECT_GT(ReferencedBlobs(fixture_.Job("a")).count(TestDigest("hidden 0/0").sha256()), 0u);
}

TEST_F(BlobUseTest, UnitsAreNeededUntilTheirFileIsWritten) {
  Capture(0, true);
  fixture_.Finish("a", {"quantize/0/attention"}, UnitResult("unit 0"));
  EXPECT_TRUE(Needed("unit 0"));
  EXPECT_THAT(LostWithout({"unit 0"}), ElementsAre("quantize/0/attention"));
  v1::Update assembled;
  assembled.mutable_file_assembled()->set_job_id("a");
  assembled.mutable_file_assembled()->set_name("model-0.safetensors");
  ASSERT_TRUE(fixture_.Apply(assembled).ok());
  EXPECT_FALSE(Needed("unit 0"));
  EXPECT_THAT(LostWithout({"unit 0"}), IsEmpty());
}

TEST_F(BlobUseTest, NothingIsNeededOnceTheJobHasEnded) {
  Capture(0, true);
  ASSERT_TRUE(fixture_.Apply(EndUpdate("a", v1::QuantizationJob::STATE_FAILED)).ok());
  EXPECT_THAT(NeededBlobs(fixture_.Job("a")), IsEmpty());
  EXPECT_THAT(LostWithout({"hidden 0/0"}), IsEmpty());
}

TEST_F(BlobUseTest, LossReachesBackToResultsThatAreThere) {
  Capture(0, true);
  Capture(1, false);
  EXPECT_THAT(LostWithout({"hidden 0/0", "hidden 0/1"}), IsEmpty()) << "read already";
  EXPECT_THAT(LostWithout({"node 1/0-2"}), ElementsAre("capture/1/0", "capture/1/1"));
  EXPECT_THAT(LostWithout({"node 1/0-2", "hidden 0/1"}),
              ElementsAre("capture/0/1", "capture/1/0", "capture/1/1"));
}

TEST_F(BlobUseTest, StatisticsThatSurviveAreUsedWhenOneCaptureRanAgain) {
  Capture(0, true);
  v1::Update lost;
  lost.mutable_blobs_lost()->set_job_id("a");
  lost.mutable_blobs_lost()->add_task_ids("capture/0/0");
  ASSERT_TRUE(fixture_.Apply(lost).ok());
  fixture_.Finish("a", {"capture/0/0"}, CaptureResult(0, 0, 1));
  EXPECT_TRUE(Needed("node 0/0-2"));
  EXPECT_FALSE(Needed("node 0/0-1")) << "part of the larger node";
}

}  // namespace
}  // namespace heroq
