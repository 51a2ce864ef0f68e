#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "tests/support/lease_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Job = v1::QuantizationJob;

v1::Plan UncalibratedPlan(int blocks = 1) { return TestPlan({.blocks = blocks, .calibrated = false}); }

TEST(LeaseEventsTest, PermanentFailureEndsTheJobNamingTheTask) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w", 2));
  const std::vector<v1::Lease> leases = worker.link->TakeLeases();
  ASSERT_TRUE(fixture.Fail(leases.at(0), v1::FAILURE_KIND_NUMERICAL).ok());
  const auto job = fixture.Job("a");
  EXPECT_EQ(job->state, Job::STATE_FAILED);
  EXPECT_EQ(job->failure.reason(), "NUMERICAL_FAILURE");
  EXPECT_EQ(job->failure.task_id(), "quantize/0/attention");
  EXPECT_THAT(job->failure.message(), HasSubstr("broken"));
  bool cancelled = false;
  for (const auto& message : worker.link->Take()) {
    cancelled |= message.cancel().lease_id() == leases.at(1).token().lease_id();
  }
  EXPECT_TRUE(cancelled) << "the other lease of the job is revoked";
  EXPECT_TRUE(HasReason(fixture.Complete(leases.at(1)), Reason::kStaleAttempt));
}

TEST(LeaseEventsTest, FifthReportedFailureEndsTheJob) {
  LeaseFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 1}));
  const auto worker = fixture.Connect(fixture.Hello("w"));
  for (int attempt = 1; attempt <= 5; ++attempt) {
    EXPECT_EQ(fixture.Job("a")->state, Job::STATE_RUNNING);
    const std::vector<v1::Lease> leases = worker.link->TakeLeases();
    ASSERT_EQ(leases.size(), 1u);
    EXPECT_EQ(leases[0].attempt(), attempt);
    ASSERT_TRUE(fixture.Fail(leases[0]).ok());
    fixture.clock.Advance(absl::Seconds(70));
    fixture.Heartbeat(worker, {});
    fixture.Tick();
  }
  EXPECT_EQ(fixture.Job("a")->failure.reason(), "RETRIES_EXHAUSTED");
}

TEST(LeaseEventsTest, BudgetSpentBeforeARestartEndsTheJobAfterIt) {
  LeaseOptions options;
  options.failure_budget = 99;
  auto log = std::make_shared<MemoryLog>();
  {
    LeaseFixture fixture(options, log);
    fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 1}));
    const auto worker = fixture.Connect(fixture.Hello("w"));
    ASSERT_TRUE(fixture.Fail(worker.link->TakeLeases().at(0)).ok());
    EXPECT_EQ(fixture.Job("a")->state, Job::STATE_RUNNING);
  }
  options.failure_budget = 1;
  LeaseFixture fixture(options, log);
  fixture.Settle();
  EXPECT_EQ(fixture.Job("a")->state, Job::STATE_FAILED);
}

TEST(LeaseEventsTest, OutOfMemoryHasItsOwnBudget) {
  LeaseFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 2}));
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const std::vector<v1::Lease> group = worker.link->TakeLeases();
  EXPECT_THAT(TaskIds(group), ElementsAre("capture/0/0-2"));
  ASSERT_TRUE(fixture.Fail(group[0], v1::FAILURE_KIND_OUT_OF_MEMORY).ok());
  fixture.clock.Advance(absl::Seconds(2));
  fixture.Tick();
  const std::vector<v1::Lease> alone = worker.link->TakeLeases();
  EXPECT_THAT(TaskIds(alone), ElementsAre("capture/0/0"));
  ASSERT_TRUE(fixture.Fail(alone[0], v1::FAILURE_KIND_OUT_OF_MEMORY).ok());
  EXPECT_EQ(fixture.Job("a")->failure.reason(), "OUT_OF_MEMORY");
}

TEST(LeaseEventsTest, TaskOnWhichFiveIncarnationsDiedIsQuarantinedAndOtherJobsGoOn) {
  LeaseFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 1}), 1);
  fixture.AddJob("b", UncalibratedPlan());
  for (int death = 1; death <= 5; ++death) {
    EXPECT_EQ(fixture.Job("a")->state, Job::STATE_RUNNING);
    const auto worker = fixture.Connect(fixture.Hello("w", 1, "c", absl::StrCat(death)));
    ASSERT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("capture/0/0"));
    fixture.Disconnect(worker);
    fixture.clock.Advance(absl::Seconds(70));
  }
  EXPECT_EQ(fixture.Job("a")->state, Job::STATE_FAILED);
  EXPECT_EQ(fixture.Job("a")->failure.task_id(), "capture/0/0");
  EXPECT_THAT(fixture.Job("a")->failure.message(), HasSubstr("quarantined"));
  const auto worker = fixture.Connect(fixture.Hello("w", 1, "c", "6"));
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("quantize/0/attention"));
}

TEST(LeaseEventsTest, IncarnationThatComesBackHasNotDied) {
  LeaseFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 1}));
  for (int loss = 1; loss <= 8; ++loss) {
    const auto worker = fixture.Connect(fixture.Hello("w"));
    ASSERT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("capture/0/0"));
    fixture.Disconnect(worker);
    fixture.clock.Advance(absl::Seconds(80));
  }
  EXPECT_EQ(fixture.Job("a")->state, Job::STATE_RUNNING);
  EXPECT_EQ(fixture.Task("a", "capture/0/0").losses, 8);
}

TEST(LeaseEventsTest, CancellationRevokesLeasesAndTellsTheirWorkers) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan());
  const auto worker = fixture.Connect(fixture.Hello("w"));
  const v1::Lease lease = worker.link->TakeLeases().at(0);
  ASSERT_TRUE(fixture.store->CommitAndWait(CancelUpdate("a")).ok());
  fixture.Settle();
  const auto messages = worker.link->Take();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].cancel().lease_id(), lease.token().lease_id());
  EXPECT_TRUE(HasReason(fixture.leases->CheckToken(lease.token()), Reason::kStaleAttempt));
  fixture.Tick();
  EXPECT_THAT(worker.link->TakeLeases(), IsEmpty());
  fixture.AddJob("b", UncalibratedPlan());
  EXPECT_THAT(TaskIds(worker.link->TakeLeases()), ElementsAre("quantize/0/attention"))
      << "the slot is free again";
}

TEST(LeaseEventsTest, ThreeFailuresInARowSuspendAWorkerThatIsNotAlone) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan(8));
  const auto bad = fixture.Connect(fixture.Hello("bad"));
  for (int failure = 0; failure < 3; ++failure) {
    ASSERT_TRUE(fixture.Fail(bad.link->TakeLeases().at(0)).ok());
  }
  EXPECT_EQ(bad.link->TakeLeases().size(), 1u) << "no other worker of its class";
  const auto good = fixture.Connect(fixture.Hello("good"));
  fixture.Disconnect(bad);
  const auto back = fixture.Connect(fixture.Hello("bad"));
  EXPECT_EQ(back.link->TakeLeases().size(), 1u) << "a new session starts afresh";
  EXPECT_EQ(good.link->TakeLeases().size(), 1u);
}

TEST(LeaseEventsTest, SuspendedWorkerIsTriedAgainLater) {
  LeaseFixture fixture;
  fixture.AddJob("a", UncalibratedPlan(8));
  const auto good = fixture.Connect(fixture.Hello("good"));
  const std::vector<v1::Lease> kept = good.link->TakeLeases();
  const auto bad = fixture.Connect(fixture.Hello("bad"));
  for (int failure = 0; failure < 3; ++failure) {
    ASSERT_TRUE(fixture.Fail(bad.link->TakeLeases().at(0)).ok());
  }
  EXPECT_THAT(bad.link->TakeLeases(), IsEmpty());
  fixture.clock.Advance(absl::Minutes(5));
  fixture.Heartbeat(good, kept);
  fixture.Heartbeat(bad, {});
  fixture.Tick();
  const std::vector<v1::Lease> probe = bad.link->TakeLeases();
  ASSERT_EQ(probe.size(), 1u);
  ASSERT_TRUE(fixture.Fail(probe[0]).ok());
  EXPECT_THAT(bad.link->TakeLeases(), IsEmpty()) << "one more failure suspends it again";
}

TEST(LeaseEventsTest, FailuresOfTheJobItselfDoNotSuspendTheWorker) {
  LeaseFixture fixture;
  const auto good = fixture.Connect(fixture.Hello("good"));
  const auto worker = fixture.Connect(fixture.Hello("w"));
  for (int i = 0; i < 3; ++i) {
    fixture.AddJob(absl::StrCat("a", i), UncalibratedPlan());
    const std::vector<v1::Lease> leases = worker.link->TakeLeases();
    ASSERT_EQ(leases.size(), 1u);
    ASSERT_TRUE(fixture.Fail(leases[0], v1::FAILURE_KIND_INVALID_INPUT).ok());
  }
  fixture.AddJob("b", UncalibratedPlan());
  EXPECT_EQ(worker.link->TakeLeases().size(), 1u);
}

}  // namespace
}  // namespace heroq
