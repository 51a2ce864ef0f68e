#include "coordinator/scheduling/lease_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/support/lease_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Plan UncalibratedPlan(int blocks = 1) { return TestPlan({.blocks = blocks, .calibrated = false}); }

TEST(LeaseManagerTest, WelcomeComesFirstThenLeases) {
  LeaseOptions options;
  options.blob_directory = "/blobs";
  LeaseFixture fixture(options);
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 4}));
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const std::vector<v1::SessionResponse> messages = worker.link->Take();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].welcome().time_to_live().seconds(), 20);
  EXPECT_EQ(messages[0].welcome().heartbeat_interval().seconds(), 5);
  EXPECT_EQ(messages[0].welcome().blob_directory(), "/blobs");
  EXPECT_EQ(messages[0].welcome().epoch(), 1);
  const v1::Lease& lease = messages[1].lease();
  EXPECT_EQ(lease.task().id(), "capture/0/0-2") << "others may connect";
  EXPECT_EQ(lease.attempt(), 1);
  EXPECT_EQ(lease.context().job_id(), "a");
  EXPECT_EQ(lease.time_to_live().seconds(), 20);
  EXPECT_TRUE(fixture.leases->CheckToken(lease.token()).ok());
  EXPECT_THAT(fixture.Job("a")->leases, SizeIs(1)) << "journaled before it was sent";
}

TEST(LeaseManagerTest, HelloWithoutIdentityIsRefused) {
  LeaseFixture fixture;
  EXPECT_TRUE(HasReason(fixture.leases->Connect({}, std::make_shared<FakeWorkerLink>()).status(),
                        Reason::kInvalidSpec));
}

TEST(LeaseManagerTest, CompletedLeaseLeadsToTheNextAndRepeatingItIsFine) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const std::vector<v1::Lease> first = worker.link->TakeLeases();
  ASSERT_THAT(TaskIds(first), ElementsAre("quantize/0/attention"));
  EXPECT_TRUE(fixture.Complete(first[0]).ok());
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("quantize/0/mlp"));
  EXPECT_TRUE(fixture.Complete(first[0]).ok());
  EXPECT_TRUE(HasReason(fixture.leases->CheckToken(first[0].token()), Reason::kStaleAttempt));
  EXPECT_THAT(worker.link->TakeLeases(), IsEmpty());
}

TEST(LeaseManagerTest, NewJobReachesAnIdleWorkerWithoutTick) {
  LeaseFixture fixture;
  const auto worker = fixture.Connect(fixture.Hello("w", 2));
  fixture.AddJob("a", UncalibratedPlan());
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("quantize/0/attention", "quantize/0/mlp"));
}

TEST(LeaseManagerTest, SilentLeaseExpiresIsCancelledAndRunsAgainAfterBackoff) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  fixture.clock.Advance(absl::Seconds(20));
  fixture.Tick();
  EXPECT_TRUE(fixture.leases->CheckToken(lease.token()).ok()) << "the time to live has not passed";
  // The worker is heard, but not about this lease.
  fixture.Heartbeat(worker, {});
  fixture.clock.Advance(absl::Seconds(1));
  fixture.Tick();
  EXPECT_TRUE(HasReason(fixture.Complete(lease), Reason::kStaleAttempt));
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").losses, 1);
  std::vector<v1::Lease> again;
  bool cancelled = false;
  for (const v1::SessionResponse& message : worker.link->Take()) {
    cancelled |= message.has_cancel() && message.cancel().lease_id() == lease.token().lease_id();
    if (message.has_lease()) again.push_back(message.lease());
  }
  EXPECT_TRUE(cancelled);
  EXPECT_THAT(TaskIds(again), ElementsAre("quantize/0/mlp")) << "the lost task waits";
  fixture.clock.Advance(absl::Seconds(2));
  EXPECT_TRUE(fixture.Complete(again[0]).ok());
  again = worker.link->TakeLeases();
  ASSERT_THAT(TaskIds(again), ElementsAre("quantize/0/attention"));
  EXPECT_EQ(again[0].attempt(), 2);
  EXPECT_GT(again[0].token().fence().counter(), lease.token().fence().counter());
}

TEST(LeaseManagerTest, HeartbeatsThatNameALeaseKeepItAlive) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  for (int i = 0; i < 10; ++i) {
    fixture.clock.Advance(absl::Seconds(15));
    fixture.Heartbeat(worker, {lease});
    fixture.Tick();
  }
  EXPECT_TRUE(fixture.leases->CheckToken(lease.token()).ok());
  const auto messages = worker.link->Take();
  ASSERT_THAT(messages, SizeIs(10));
  for (const auto& message : messages) EXPECT_TRUE(message.has_ack());
}

TEST(LeaseManagerTest, WallClockJumpsDoNotExpireLeases) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  fixture.clock.Jump(absl::Hours(240));
  fixture.Tick();
  EXPECT_TRUE(fixture.leases->CheckToken(lease.token()).ok());
}

TEST(LeaseManagerTest, HeartbeatNamingADeadTokenIsAnsweredWithCancel) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  fixture.Restart();
  worker = fixture.Connect(fixture.Hello("w"));
  worker.link->Take();
  fixture.Heartbeat(worker, {lease});
  const auto messages = worker.link->Take();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].cancel().lease_id(), lease.token().lease_id());
  EXPECT_TRUE(messages[1].has_ack());
}

TEST(LeaseManagerTest, HeartbeatThatCrossesTheAnswerToCompleteIsNotCancelled) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  ASSERT_TRUE(fixture.Complete(lease).ok());
  worker.link->Take();
  fixture.Heartbeat(worker, {lease});
  const auto messages = worker.link->Take();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_TRUE(messages[0].has_ack());
}

TEST(LeaseManagerTest, DisconnectRevokesAtOnceAndChargesTheLoss) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  fixture.Disconnect(worker);
  EXPECT_TRUE(HasReason(fixture.leases->CheckToken(lease.token()), Reason::kStaleAttempt));
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").losses, 1);
  EXPECT_THAT(fixture.leases->Workers(), IsEmpty());
}

TEST(LeaseManagerTest, SecondSessionOfAWorkerEndsTheFirst) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto first = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = first.link->TakeLeases().at(0);
  const auto second = fixture.Connect(fixture.Hello("w", 1, "c", "2"));
  EXPECT_TRUE(HasReason(fixture.Complete(lease), Reason::kStaleAttempt));
  EXPECT_THAT(fixture.leases->Workers(), SizeIs(1));
  EXPECT_THAT(TaskIds(second.link->TakeLeases()), ElementsAre("quantize/0/mlp"));
}

TEST(LeaseManagerTest, DrainingWorkerGetsNothingNewAndReleasesWithoutCharge) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w", 2));
  const std::vector<v1::Lease> leases = worker.link->TakeLeases();
  fixture.leases->SetDraining(worker.session);
  EXPECT_TRUE(fixture.Release(leases.at(0)).ok());
  EXPECT_TRUE(HasReason(fixture.Release(leases.at(0)), Reason::kStaleAttempt));
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").losses, 0);
  EXPECT_THAT(worker.link->TakeLeases(), IsEmpty());
  EXPECT_TRUE(fixture.leases->Workers().at(0).draining());
  const auto other = fixture.Connect(fixture.Hello("v"));
  EXPECT_THAT(TaskIds(other.link->TakeLeases()), ElementsAre("quantize/0/attention"));
}

TEST(LeaseManagerTest, DrainAllAsksEveryWorker) {
  LeaseFixture fixture;
  const auto worker = fixture.Connect(fixture.Hello("w"));
  worker.link->Take();
  fixture.leases->DrainAll();
  EXPECT_TRUE(worker.link->Take().at(0).has_drain());
  fixture.AddJob("a", UncalibratedPlan());
  EXPECT_THAT(worker.link->TakeLeases(), IsEmpty());
}

TEST(LeaseManagerTest, IncompleteResultIsRefusedAndCharged) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  const absl::Status status = fixture.Complete(lease.token(), {});
  EXPECT_TRUE(HasReason(status, Reason::kInternal));
  EXPECT_THAT(std::string(status.message()), HasSubstr("unit"));
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").failures, 1);
}

TEST(LeaseManagerTest, RestartGivesBackWhatWasLeasedUncharged) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const v1::Lease lease = fixture.Connect(fixture.Hello("w")).link->TakeLeases().at(0);
  fixture.Restart();
  EXPECT_TRUE(HasReason(fixture.Complete(lease), Reason::kStaleAttempt));
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").losses, 0);
  const v1::Lease again = fixture.Connect(fixture.Hello("w")).link->TakeLeases().at(0);
  EXPECT_EQ(again.task().id(), "quantize/0/attention");
  EXPECT_EQ(again.token().fence().epoch(), 2);
  EXPECT_EQ(again.attempt(), 2);
}

TEST(LeaseManagerTest, SecondManagerOverOneStoreGivesBackTheFirstOnesLeases) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const v1::Lease lease = fixture.Connect(fixture.Hello("w")).link->TakeLeases().at(0);
  fixture.leases.reset();
  fixture.leases = std::make_unique<LeaseManager>(*fixture.store, fixture.clock, LeaseOptions());
  fixture.Settle();
  EXPECT_EQ(fixture.Task("a", "quantize/0/attention").state, TaskState::kPending);
  EXPECT_THAT(TaskIds(fixture.Connect(fixture.Hello("w")).link->TakeLeases()),
              ElementsAre("quantize/0/attention"));
}

TEST(LeaseManagerTest, RunningShowsProgressAsLastReported) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  v1::WorkerHeartbeat heartbeat;
  heartbeat.set_rss_bytes(123);
  v1::TaskProgress& progress = *heartbeat.add_running();
  *progress.mutable_token() = lease.token();
  progress.set_fraction(0.5);
  progress.set_activity("gptq");
  fixture.leases->Heartbeat(worker.session, heartbeat);
  fixture.clock.Advance(absl::Seconds(3));
  const auto running = fixture.leases->Running("a");
  ASSERT_THAT(running, SizeIs(1));
  EXPECT_EQ(running[0].task_id(), "quantize/0/attention");
  EXPECT_EQ(running[0].worker_id(), "w");
  EXPECT_EQ(running[0].fraction(), 0.5);
  EXPECT_EQ(running[0].activity(), "gptq");
  EXPECT_THAT(fixture.leases->Running("b"), IsEmpty());
  const auto workers = fixture.leases->Workers();
  EXPECT_EQ(workers.at(0).running(), 1);
  EXPECT_EQ(workers.at(0).rss_bytes(), 123);
  EXPECT_EQ(workers.at(0).seconds_since_heartbeat(), 3);
}

}  // namespace
}  // namespace heroq
