#include "worker/agent/lease_queue.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

v1::Lease LeaseNumber(int number) {
  v1::Lease lease;
  lease.mutable_token()->set_lease_id(absl::StrCat(number));
  return lease;
}

TEST(LeaseQueueTest, LeasesBeyondItsCapacityAreRefusedUntilOneIsReported) {
  LeaseQueue queue(2);
  const auto first = queue.Add(LeaseNumber(1));
  ASSERT_NE(first, nullptr);
  ASSERT_NE(queue.Add(LeaseNumber(2)), nullptr);
  EXPECT_EQ(queue.Add(LeaseNumber(3)), nullptr);
  first->BeginReport();
  EXPECT_NE(queue.Add(LeaseNumber(3)), nullptr);
}

TEST(LeaseQueueTest, DrainingStopsWhatWaitsAndLeavesWhatRuns) {
  LeaseQueue queue(2);
  queue.Add(LeaseNumber(1));
  queue.Add(LeaseNumber(2));
  const auto running = queue.Next();
  bool drained = false;
  queue.Drain([&] { drained = true; });
  EXPECT_FALSE(running->cancellation().cancelled());
  const auto waiting = queue.Next();
  EXPECT_TRUE(waiting->cancellation().cancelled());
  EXPECT_FALSE(waiting->dead()) << "it is given back";
  queue.Remove(*waiting);
  EXPECT_FALSE(drained);
  queue.Remove(*running);
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace heroq
