#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "coordinator/state/job_state.h"
#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

v1::TaskResult ResultOf(const std::string& content) {
  v1::TaskResult result;
  v1::NamedBlob& output = *result.add_outputs();
  output.set_name("unit");
  *output.mutable_digest() = TestDigest(content);
  return result;
}

TEST(JobValidationTest, IdsAndRequestIdsAreUsedOnce) {
  StateFixture fixture;
  v1::Update create = CreateUpdate("a");
  create.mutable_job_created()->set_request_id("r1");
  create.mutable_job_created()->set_tenant("t");
  ASSERT_TRUE(fixture.Apply(create).ok());
  EXPECT_TRUE(HasReason(fixture.Apply(CreateUpdate("a")), Reason::kJobExists));
  create.mutable_job_created()->set_job_id("b");
  const absl::Status repeated = fixture.Apply(create);
  EXPECT_TRUE(HasReason(repeated, Reason::kJobExists));
  EXPECT_EQ(ErrorMetadata(repeated)["job_id"], "a");
  create.mutable_job_created()->set_tenant("other");
  EXPECT_TRUE(fixture.Apply(create).ok());
}

TEST(JobValidationTest, UnknownJobsAreNotFound) {
  StateFixture fixture;
  EXPECT_TRUE(HasReason(fixture.Apply(CancelUpdate("x")), Reason::kJobNotFound));
  EXPECT_TRUE(HasReason(fixture.Apply(PlanUpdate("x", TestPlan())), Reason::kJobNotFound));
  EXPECT_TRUE(HasReason(fixture.Apply(CompleteUpdate({})), Reason::kJobNotFound));
}

TEST(JobValidationTest, LeaseNeedsReadyTasksNewFenceAndTheJobsClass) {
  StateFixture fixture;
  fixture.AddJob("a");
  const auto refused = [&](const v1::Update& update) {
    return HasReason(ValidateUpdate(fixture.state, update), Reason::kInternal);
  };
  EXPECT_TRUE(refused(LeaseUpdate(fixture.state, "a", {"capture/1/0"})));
  EXPECT_TRUE(refused(LeaseUpdate(fixture.state, "a", {"capture/0/0", "capture/0/0"})));
  EXPECT_TRUE(refused(LeaseUpdate(fixture.state, "a", {"capture/9/0"})));
  EXPECT_TRUE(refused(LeaseUpdate(fixture.state, "a", {})));
  fixture.Lease("a", {"capture/0/0"});
  EXPECT_TRUE(refused(LeaseUpdate(fixture.state, "a", {"capture/0/0"})));
  v1::Update update = LeaseUpdate(fixture.state, "a", {"capture/0/1"});
  update.mutable_task_leased()->mutable_fence()->set_counter(fixture.state.last_fence_counter);
  EXPECT_TRUE(refused(update));
  update = LeaseUpdate(fixture.state, "a", {"capture/0/1"});
  update.mutable_task_leased()->mutable_fence()->set_epoch(0);
  EXPECT_TRUE(refused(update));
  update = LeaseUpdate(fixture.state, "a", {"capture/0/1"});
  update.mutable_task_leased()->set_numeric_class("other");
  EXPECT_TRUE(refused(update));
  update = LeaseUpdate(fixture.state, "a", {"capture/0/1"});
  update.mutable_task_leased()->set_attempt(2);
  EXPECT_TRUE(refused(update));
}

TEST(JobValidationTest, EndsOfALeaseNeedItsFence) {
  StateFixture fixture;
  fixture.AddJob("a");
  v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0"});
  lease.mutable_fence()->set_counter(99);
  EXPECT_TRUE(HasReason(fixture.Apply(CompleteUpdate(lease)), Reason::kStaleAttempt));
  EXPECT_TRUE(
      HasReason(fixture.Apply(ReturnUpdate(lease, v1::TaskReturned::CAUSE_LOST)), Reason::kStaleAttempt));
}

TEST(JobValidationTest, CompletingAgainIsFineWithAnEqualResultOnly) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0"});
  ASSERT_TRUE(fixture.Apply(CompleteUpdate(lease, ResultOf("x"))).ok());
  const std::string before = DumpState(fixture.state);
  v1::TaskResult same = ResultOf("x");
  same.mutable_metrics()->set_seconds(3);
  EXPECT_FALSE(ChangesState(fixture.state, CompleteUpdate(lease, same)));
  EXPECT_TRUE(fixture.Apply(CompleteUpdate(lease, same)).ok());
  EXPECT_TRUE(HasReason(fixture.Apply(CompleteUpdate(lease, ResultOf("y"))), Reason::kStaleAttempt));
  EXPECT_EQ(DumpState(fixture.state), before);
}

TEST(JobValidationTest, ResultOfAnExpiredLeaseIsRefused) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased first = fixture.Lease("a", {"capture/0/0"});
  ASSERT_TRUE(fixture.Apply(ReturnUpdate(first, v1::TaskReturned::CAUSE_LOST)).ok());
  const v1::TaskLeased second = fixture.Lease("a", {"capture/0/0"});
  EXPECT_TRUE(HasReason(fixture.Apply(CompleteUpdate(first, ResultOf("x"))), Reason::kStaleAttempt));
  EXPECT_TRUE(fixture.Apply(CompleteUpdate(second, ResultOf("x"))).ok());
  EXPECT_TRUE(HasReason(fixture.Apply(CompleteUpdate(first, ResultOf("x"))), Reason::kStaleAttempt));
}

TEST(JobValidationTest, PhasesOnlyGoForward) {
  StateFixture fixture;
  fixture.AddJob("a");
  EXPECT_TRUE(fixture.Apply(PhaseUpdate("a", Job::PHASE_ASSEMBLING)).ok());
  EXPECT_FALSE(fixture.Apply(PhaseUpdate("a", Job::PHASE_QUANTIZING)).ok());
  EXPECT_FALSE(fixture.Apply(PhaseUpdate("a", Job::PHASE_VALIDATING)).ok()) << "without the staged directory";
  EXPECT_TRUE(fixture.Apply(PhaseUpdate("a", Job::PHASE_VALIDATING, "/s1")).ok());
  EXPECT_TRUE(fixture.Apply(PhaseUpdate("a", Job::PHASE_VALIDATING, "/s2")).ok())
      << "a restart stages elsewhere";
  EXPECT_FALSE(fixture.Apply(PhaseUpdate("a", Job::PHASE_PUBLISHED)).ok());
}

TEST(JobValidationTest, SuccessNeedsEveryResult) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  fixture.Finish("a", {"quantize/0/attention"});
  EXPECT_FALSE(fixture.Apply(EndUpdate("a", Job::STATE_SUCCEEDED)).ok());
  fixture.Finish("a", {"quantize/0/mlp"});
  EXPECT_TRUE(fixture.Apply(EndUpdate("a", Job::STATE_SUCCEEDED)).ok());
}

TEST(JobValidationTest, TerminalStatesAbsorb) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0"});
  ASSERT_TRUE(fixture.Apply(EndUpdate("a", Job::STATE_FAILED)).ok());
  const std::string before = DumpState(fixture.state);
  EXPECT_FALSE(fixture.Apply(EndUpdate("a", Job::STATE_FAILED)).ok());
  EXPECT_FALSE(fixture.Apply(EndUpdate("a", Job::STATE_CANCELLED)).ok());
  EXPECT_FALSE(fixture.Apply(CompleteUpdate(lease)).ok());
  EXPECT_FALSE(fixture.Apply(LeaseUpdate(fixture.state, "a", {"capture/0/1"})).ok());
  EXPECT_FALSE(fixture.Apply(PhaseUpdate("a", Job::PHASE_ASSEMBLING)).ok());
  EXPECT_TRUE(fixture.Apply(CancelUpdate("a")).ok()) << "cancelling what has ended is fine and does nothing";
  EXPECT_EQ(DumpState(fixture.state), before);
}

TEST(JobValidationTest, OnlyARequestedCancellationEndsAsCancelled) {
  StateFixture fixture;
  fixture.AddJob("a");
  EXPECT_FALSE(fixture.Apply(EndUpdate("a", Job::STATE_CANCELLED)).ok());
  ASSERT_TRUE(fixture.Apply(CancelUpdate("a")).ok());
  EXPECT_TRUE(HasReason(fixture.Apply(LeaseUpdate(fixture.state, "a", {"capture/0/0"})), Reason::kCancelled));
  EXPECT_TRUE(fixture.Apply(EndUpdate("a", Job::STATE_CANCELLED)).ok());
}

TEST(JobValidationTest, OnlyEndedJobsAreDeleted) {
  StateFixture fixture;
  fixture.AddJob("a");
  v1::Update deleted;
  deleted.mutable_job_deleted()->set_job_id("a");
  EXPECT_TRUE(HasReason(fixture.Apply(deleted), Reason::kJobNotTerminal));
}

TEST(JobValidationTest, OnlyPlannedFilesAreAssembledAndOnlyKnownTasksLost) {
  StateFixture fixture;
  fixture.AddJob("a");
  v1::Update update;
  update.mutable_file_assembled()->set_job_id("a");
  update.mutable_file_assembled()->set_name("other.safetensors");
  EXPECT_FALSE(fixture.Apply(update).ok());
  update.mutable_blobs_lost()->set_job_id("a");
  update.mutable_blobs_lost()->add_task_ids("capture/7/7");
  EXPECT_FALSE(fixture.Apply(update).ok());
  EXPECT_FALSE(fixture.Apply(v1::Update()).ok()) << "an update of a newer version";
}

}  // namespace
}  // namespace heroq
