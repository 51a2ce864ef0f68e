#include "coordinator/scheduling/lease_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

LiveLease MakeLease(const std::string& id, int64_t session, LiveLease::Stage stage) {
  LiveLease lease;
  lease.token.set_job_id("a");
  lease.token.set_lease_id(id);
  lease.token.mutable_fence()->set_counter(7);
  lease.session = session;
  lease.stage = stage;
  lease.renewed_at = absl::Seconds(100);
  lease.tasks = {3, 4};
  return lease;
}

TEST(LeaseTableTest, TokenHoldsOnlyALiveLeaseWithItsFence) {
  LeaseTable table;
  LiveLease& lease = table.Add(MakeLease("1.7", 1, LiveLease::Stage::kLive));
  v1::LeaseToken token = lease.token;
  EXPECT_EQ(table.FindLive(token), &lease);
  token.mutable_fence()->set_counter(8);
  EXPECT_EQ(table.FindLive(token), nullptr);
  token = lease.token;
  token.set_job_id("b");
  EXPECT_EQ(table.FindLive(token), nullptr);
  lease.stage = LiveLease::Stage::kEnding;
  EXPECT_EQ(table.FindLive(lease.token), nullptr);
}

TEST(LeaseTableTest, SilenceCountsForLiveLeasesOnly) {
  LeaseTable table;
  table.Add(MakeLease("1.1", 1, LiveLease::Stage::kLive));
  table.Add(MakeLease("1.2", 1, LiveLease::Stage::kCommitting));
  table.Add(MakeLease("1.3", 1, LiveLease::Stage::kEnding));
  EXPECT_TRUE(table.Silent(absl::Seconds(120), absl::Seconds(20)).empty());
  ASSERT_EQ(table.Silent(absl::Seconds(121), absl::Seconds(20)).size(), 1u);
  EXPECT_EQ(table.CountOfSession(1), 3);
  EXPECT_EQ(table.CountOfSession(2), 0);
  EXPECT_THAT(table.Committing(), testing::ElementsAre(testing::Pair("a", testing::ElementsAre(3, 4))));
}

}  // namespace
}  // namespace heroq
