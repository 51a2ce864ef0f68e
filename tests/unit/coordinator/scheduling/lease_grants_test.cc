#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/lease_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Plan UncalibratedPlan(int blocks = 1) { return TestPlan({.blocks = blocks, .calibrated = false}); }

TEST(LeaseGrantsTest, FirstLeasePinsTheJobToTheLargestClass) {
  LeaseFixture fixture;
  const auto small = fixture.Connect(fixture.Hello("w1", 1, "small"));
  const auto large = fixture.Connect(fixture.Hello("w2", 2, "large"));
  fixture.AddJob("a", UncalibratedPlan(2));
  EXPECT_EQ(fixture.Job("a")->numeric_class, "large");
  EXPECT_THAT(TaskIds(small.link->TakeLeases()), IsEmpty());
  EXPECT_THAT(TaskIds(large.link->TakeLeases()), ElementsAre("quantize/0/attention", "quantize/0/mlp"));
}

TEST(LeaseGrantsTest, ClassStaysPinnedAfterARestart) {
  LeaseFixture fixture;
  const auto worker = fixture.Connect(fixture.Hello("w1", 1, "c1"));
  fixture.AddJob("a", UncalibratedPlan(2));
  ASSERT_TRUE(fixture.Complete(worker.link->TakeLeases().at(0)).ok());
  fixture.Restart();
  const auto other = fixture.Connect(fixture.Hello("w2", 8, "c2"));
  EXPECT_THAT(TaskIds(other.link->TakeLeases()), IsEmpty());
  EXPECT_EQ(fixture.leases->WaitingFor("a"), "waiting for class c1");
}

TEST(LeaseGrantsTest, WorkerIsNeverGivenMoreThanItsSlots) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan(8));
  const auto worker = fixture.Connect(fixture.Hello("w", 3));
  fixture.Tick();
  fixture.Tick();
  EXPECT_EQ(worker.link->TakeLeases().size(), 3u);
}

TEST(LeaseGrantsTest, SilentWorkerGetsNoNewLeases) {
  LeaseFixture fixture;
  const auto worker = fixture.Connect(fixture.Hello("w"));
  fixture.clock.Advance(absl::Seconds(21));
  fixture.AddJob("a", UncalibratedPlan());
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), IsEmpty());
  fixture.Heartbeat(worker, {});
  fixture.Tick();
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("quantize/0/attention"));
}

TEST(LeaseGrantsTest, WaitingForSaysWhy) {
  LeaseFixture fixture;
  EXPECT_EQ(fixture.leases->WaitingFor("unknown"), "");
  fixture.AddJob("a", UncalibratedPlan());
  EXPECT_EQ(fixture.leases->WaitingFor("a"), "no workers");
  const auto worker = fixture.Connect(fixture.Hello("w"));
  EXPECT_EQ(fixture.leases->WaitingFor("a"), "");
  fixture.AddJob("b", UncalibratedPlan());
  EXPECT_EQ(fixture.leases->WaitingFor("b"), "waiting for a free worker");
  fixture.Disconnect(worker);
  EXPECT_EQ(fixture.leases->WaitingFor("a"), "waiting for class c");
  EXPECT_EQ(fixture.leases->WaitingFor("b"), "no workers");
}

TEST(LeaseGrantsTest, JobThatOnlyWaitsForARetrySaysSo) {
  LeaseFixture fixture;
  const auto worker = fixture.Connect(fixture.Hello("w", 2));
  fixture.AddJob("a", UncalibratedPlan());
  for (const v1::Lease& lease : worker.link->TakeLeases()) ASSERT_TRUE(fixture.Fail(lease).ok());
  EXPECT_EQ(fixture.leases->WaitingFor("a"), "retry after a failed attempt");
}

TEST(LeaseGrantsTest, WorkerThatTakesLeasesAheadGetsThemAndRunsItsSlots) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan(8));
  v1::WorkerHello hello = fixture.Hello("w", 1);
  hello.set_leases_ahead(2);
  const auto worker = fixture.Connect(hello);
  fixture.Tick();
  const std::vector<v1::Lease> leases = worker.link->TakeLeases();
  ASSERT_EQ(leases.size(), 3u);
  EXPECT_EQ(fixture.leases->Workers().at(0).running(), 1);
  ASSERT_TRUE(fixture.Complete(leases[0]).ok());
  EXPECT_EQ(worker.link->TakeLeases().size(), 1u);
}

}  // namespace
}  // namespace heroq
