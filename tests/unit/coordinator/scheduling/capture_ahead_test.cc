#include "coordinator/scheduling/capture_ahead.h"

#include <gtest/gtest.h>

#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

// Of TestPlan: inputs 16, 16 and 32 wide, so triangles of 136, 136 and 528 floats; a shard has 2 sequences of
// 8 tokens of 16 floats.
constexpr int64_t kNode = (136 + 136 + 528) * 4;
constexpr int64_t kHidden = 2 * 8 * 16 * 4;

class CaptureAheadTest : public testing::Test {
 protected:
  CaptureAheadTest() { fixture_.AddJob("a", TestPlan({.blocks = 2, .shards = 4, .samples = 8})); }

  const JobRecord& job() const { return fixture_.Job("a"); }
  int Task(const std::string& id) const { return job().graph->Find(id).value(); }

  StateFixture fixture_;
};

TEST_F(CaptureAheadTest, RunIsExpectedToGiveTheFewestNodes) {
  EXPECT_EQ(ExpectedBytes(job(), {Task("capture/0/0"), Task("capture/0/1")}), kNode + 2 * kHidden);
  // Shards 1 and 2 have no node of their own.
  EXPECT_EQ(ExpectedBytes(job(), {Task("capture/0/1"), Task("capture/0/2")}), 2 * kNode + 2 * kHidden);
}

TEST_F(CaptureAheadTest, CountsWhatIsUnreadAndWhatIsOnItsWay) {
  EXPECT_EQ(CapturedBytes(job(), {}), 0);
  const v1::TaskLeased lease = fixture_.Lease("a", {"capture/0/0", "capture/0/1"});
  EXPECT_EQ(CapturedBytes(job(), {Task("capture/0/2")}), (kNode + 2 * kHidden) + (kNode + kHidden));
  v1::TaskResult result;
  result.add_statistics()->mutable_blob()->set_size_bytes(1000);
  ASSERT_TRUE(fixture_.Apply(CompleteUpdate(lease, result)).ok());
  EXPECT_EQ(CapturedBytes(job(), {}), 1000 + 2 * kHidden) << "a result of two tasks counts once";
  fixture_.Finish("a", {"capture/0/2", "capture/0/3", "capture/1/0", "capture/1/1"});
  EXPECT_EQ(CapturedBytes(job(), {}), 1000 + 2 * kHidden) << "shards 2 and 3 are unread now, 0 and 1 no more";
  fixture_.Finish("a", {"quantize/0/attention"});
  EXPECT_EQ(CapturedBytes(job(), {}), 1000 + 2 * kHidden) << "the other unit still reads them";
  fixture_.Finish("a", {"quantize/0/mlp"});
  EXPECT_EQ(CapturedBytes(job(), {}), 2 * kHidden);
}

TEST_F(CaptureAheadTest, OpenBlockIsTheLowestUnquantizedOne) {
  EXPECT_EQ(OpenBlock(job()), 0);
  fixture_.Finish("a", {"capture/0/0", "capture/0/1", "capture/0/2", "capture/0/3", "quantize/0/mlp"});
  EXPECT_EQ(OpenBlock(job()), 0);
  fixture_.Finish("a", {"quantize/0/attention"});
  EXPECT_EQ(OpenBlock(job()), 1);
}

}  // namespace
}  // namespace heroq
