#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "coordinator/state/job_state.h"
#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Job = v1::QuantizationJob;

v1::Update Lost(const std::string& job_id, const std::vector<std::string>& tasks) {
  v1::Update update;
  update.mutable_blobs_lost()->set_job_id(job_id);
  for (const std::string& task : tasks) update.mutable_blobs_lost()->add_task_ids(task);
  return update;
}

v1::Update Assembled(const std::string& job_id, const std::string& name) {
  v1::Update update;
  update.mutable_file_assembled()->set_job_id(job_id);
  update.mutable_file_assembled()->set_name(name);
  return update;
}

TEST(JobTransitionsTest, LeaseOfSeveralShardsCompletesAllItsTasks) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/1", "capture/0/2"});
  EXPECT_EQ(fixture.Task("a", "capture/0/1").state, TaskState::kLeased);
  ASSERT_TRUE(fixture.Apply(CompleteUpdate(lease)).ok());
  EXPECT_EQ(fixture.Task("a", "capture/0/1").state, TaskState::kDone);
  EXPECT_EQ(fixture.Task("a", "capture/0/1").result, fixture.Task("a", "capture/0/2").result);
  EXPECT_THAT(fixture.Job("a").leases, IsEmpty());
}

TEST(JobTransitionsTest, FirstLeasePinsTheNumericClassAndQuantizingStartsItsPhase) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 1}));
  EXPECT_EQ(fixture.Job("a").numeric_class, "");
  EXPECT_EQ(fixture.Job("a").phase, Job::PHASE_CALIBRATING);
  fixture.Finish("a", {"capture/0/0"});
  EXPECT_EQ(fixture.Job("a").numeric_class, "c");
  EXPECT_EQ(fixture.Job("a").phase, Job::PHASE_CALIBRATING);
  fixture.Lease("a", {"quantize/0/mlp"});
  EXPECT_EQ(fixture.Job("a").phase, Job::PHASE_QUANTIZING);
}

TEST(JobTransitionsTest, ReturnedLeaseChargesTheBudgetOfItsCause) {
  StateFixture fixture;
  fixture.AddJob("a");
  const auto end = [&](v1::TaskReturned::Cause cause, v1::FailureKind kind) {
    ASSERT_TRUE(fixture.Apply(ReturnUpdate(fixture.Lease("a", {"capture/0/0"}), cause, kind)).ok());
  };
  end(v1::TaskReturned::CAUSE_LOST, v1::FAILURE_KIND_UNSPECIFIED);
  end(v1::TaskReturned::CAUSE_FAILED, v1::FAILURE_KIND_INTERNAL);
  end(v1::TaskReturned::CAUSE_FAILED, v1::FAILURE_KIND_OUT_OF_MEMORY);
  end(v1::TaskReturned::CAUSE_FAILED, v1::FAILURE_KIND_INPUT_LOST);
  end(v1::TaskReturned::CAUSE_RELEASED, v1::FAILURE_KIND_UNSPECIFIED);
  end(v1::TaskReturned::CAUSE_REVOKED, v1::FAILURE_KIND_UNSPECIFIED);
  const TaskRecord& task = fixture.Task("a", "capture/0/0");
  EXPECT_EQ(task.state, TaskState::kPending);
  EXPECT_EQ(task.attempts, 6);
  EXPECT_EQ(task.losses, 1);
  EXPECT_EQ(task.failures, 1);
  EXPECT_EQ(task.out_of_memory, 1);
}

TEST(JobTransitionsTest, StorageTroubleBlocksTheJobUntilATaskCompletesAndChargesNothing) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased other = fixture.Lease("a", {"capture/0/1"});
  v1::Update returned = ReturnUpdate(fixture.Lease("a", {"capture/0/0"}), v1::TaskReturned::CAUSE_FAILED,
                                     v1::FAILURE_KIND_STORAGE);
  returned.mutable_task_returned()->set_message("disk full");
  ASSERT_TRUE(fixture.Apply(returned).ok());
  EXPECT_EQ(fixture.Task("a", "capture/0/0").failures, 0);
  EXPECT_EQ(fixture.Job("a").blocked.reason(), "IO_ERROR");
  EXPECT_EQ(fixture.Job("a").blocked.message(), "disk full");
  EXPECT_EQ(fixture.Job("a").blocked.task_id(), "capture/0/0");
  ASSERT_TRUE(fixture.Apply(CompleteUpdate(other)).ok());
  EXPECT_EQ(fixture.Job("a").blocked.reason(), "");
}

TEST(JobTransitionsTest, BlockedJobGoesOnWhenItsDriverOrANewEpochSaysSo) {
  v1::Update blocked;
  blocked.mutable_job_blocked()->set_job_id("a");
  blocked.mutable_job_blocked()->mutable_reason()->set_reason("IO_ERROR");
  v1::Update unblocked;
  unblocked.mutable_job_blocked()->set_job_id("a");
  v1::Update epoch;
  epoch.mutable_epoch_started()->set_epoch(2);
  for (const v1::Update& end : {unblocked, epoch}) {
    StateFixture fixture;
    fixture.AddJob("a");
    ASSERT_TRUE(fixture.Apply(blocked).ok());
    fixture.Finish("a", {"capture/0/0"});
    EXPECT_EQ(fixture.Job("a").blocked.reason(), "IO_ERROR") << "a task says nothing of the driver's disk";
    ASSERT_TRUE(fixture.Apply(end).ok()) << end.ShortDebugString();
    EXPECT_EQ(fixture.Job("a").blocked.reason(), "");
  }
}

TEST(JobTransitionsTest, NewEpochVoidsLeasesWithoutCharge) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0"});
  v1::Update started;
  started.mutable_epoch_started()->set_epoch(2);
  ASSERT_TRUE(fixture.Apply(started).ok());
  EXPECT_EQ(fixture.Task("a", "capture/0/0").state, TaskState::kPending);
  EXPECT_EQ(fixture.Task("a", "capture/0/0").losses, 0);
  EXPECT_EQ(fixture.state.last_fence_counter, 0);
  EXPECT_FALSE(fixture.Apply(CompleteUpdate(lease)).ok());
}

TEST(JobTransitionsTest, CancellationRevokesLeasesAtOnce) {
  StateFixture fixture;
  fixture.AddJob("a");
  const v1::TaskLeased lease = fixture.Lease("a", {"capture/0/0"});
  ASSERT_TRUE(fixture.Apply(CancelUpdate("a")).ok());
  EXPECT_EQ(fixture.Job("a").state, Job::STATE_CANCELLING);
  EXPECT_THAT(fixture.Job("a").leases, IsEmpty());
  EXPECT_FALSE(fixture.Apply(CompleteUpdate(lease)).ok());
  ASSERT_TRUE(fixture.Apply(EndUpdate("a", Job::STATE_CANCELLED)).ok());
  EXPECT_TRUE(fixture.Job("a").terminal());
}

TEST(JobTransitionsTest, RecordsSeenByReadersNeverChange) {
  StateFixture fixture;
  fixture.AddJob("a");
  const CoordinatorState snapshot = fixture.state;
  const std::string before = DumpState(snapshot);
  fixture.Finish("a", {"capture/0/0"});
  EXPECT_EQ(DumpState(snapshot), before);
  EXPECT_NE(DumpState(fixture.state), before);
}

TEST(JobTransitionsTest, LostBlobsReturnOnlyTasksSomebodyStillNeeds) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 3, .shards = 1}));
  fixture.Finish("a", {"capture/0/0", "quantize/0/attention", "quantize/0/mlp", "capture/1/0"});
  ASSERT_TRUE(fixture.Apply(Assembled("a", "model-0.safetensors")).ok());
  // Block 0 is written and its hidden states have been read: nothing to do.
  ASSERT_TRUE(fixture.Apply(Lost("a", {"capture/0/0", "quantize/0/attention"})).ok());
  EXPECT_THAT(fixture.Pending("a"), ElementsAre("quantize/1/attention", "quantize/1/mlp", "capture/2/0",
                                                "quantize/2/attention", "quantize/2/mlp"));
  // capture/1/0 is needed, and to run again it needs what capture/0/0 made.
  ASSERT_TRUE(fixture.Apply(Lost("a", {"capture/0/0", "capture/1/0", "quantize/0/mlp"})).ok());
  EXPECT_THAT(fixture.Pending("a"),
              ElementsAre("capture/0/0", "capture/1/0", "quantize/1/attention", "quantize/1/mlp",
                          "capture/2/0", "quantize/2/attention", "quantize/2/mlp"));
  EXPECT_EQ(fixture.Task("a", "capture/1/0").result, nullptr);
}

TEST(JobTransitionsTest, LostUnitRunsAgainUntilItsFileIsWritten) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  fixture.Finish("a", {"quantize/0/attention", "quantize/0/mlp"});
  ASSERT_TRUE(fixture.Apply(Lost("a", {"quantize/0/mlp"})).ok());
  EXPECT_THAT(fixture.Pending("a"), ElementsAre("quantize/0/mlp"));
  fixture.Finish("a", {"quantize/0/mlp"});
  ASSERT_TRUE(fixture.Apply(Assembled("a", "model-0.safetensors")).ok());
  ASSERT_TRUE(fixture.Apply(Lost("a", {"quantize/0/mlp"})).ok());
  EXPECT_THAT(fixture.Pending("a"), IsEmpty());
}

v1::Update Tried(const std::string& job_id, v1::Transform transform, double kl) {
  v1::Update update;
  update.mutable_trial_finished()->set_job_id(job_id);
  update.mutable_trial_finished()->set_transform(transform);
  update.mutable_trial_finished()->mutable_evaluation()->set_kl_sum(kl);
  return update;
}

v1::Update Planned(const std::string& job_id, const v1::Plan& plan, int trial) {
  v1::Update update = PlanUpdate(job_id, plan);
  update.mutable_job_planned()->set_trial(trial);
  return update;
}

// Until a trial of job "a" has its linears quantized, a file written and its evaluation done.
void FinishTrial(StateFixture& fixture, const v1::Plan& plan, int trial) {
  ASSERT_TRUE(fixture.Apply(Planned("a", plan, trial)).ok());
  fixture.Finish("a", {"capture/0/0"});
  fixture.Finish("a", {"quantize/0/attention"});
  fixture.Finish("a", {"quantize/0/mlp"});
  ASSERT_TRUE(fixture.Apply(Assembled("a", plan.files(0).name())).ok());
  ASSERT_TRUE(fixture.Apply(PhaseUpdate("a", Job::PHASE_VALIDATING, absl::StrCat("/staging/", trial))).ok());
  for (const TaskNode& node : fixture.Job("a").graph->nodes()) {
    if (node.kind == TaskKind::kEvaluate) fixture.Finish("a", {node.id});
  }
}

TEST(JobTransitionsTest, ChosenTrialTakesItsResultsOverAndIsEvaluatedAnew) {
  const v1::Plan plan = TestPlan({.blocks = 1, .shards = 1, .evaluation_sequences = 1});
  StateFixture fixture;
  ASSERT_TRUE(fixture.Apply(CreateUpdate("a")).ok());
  FinishTrial(fixture, plan, 1);
  EXPECT_TRUE(fixture.Job("a").on_trial());
  const auto mlp = fixture.Task("a", "quantize/0/mlp").result;
  ASSERT_NE(mlp, nullptr);
  ASSERT_TRUE(fixture.Apply(Tried("a", v1::TRANSFORM_NONE, 1)).ok());
  EXPECT_EQ(fixture.Job("a").state, Job::STATE_QUEUED);
  EXPECT_EQ(fixture.Job("a").plan, nullptr);
  EXPECT_THAT(fixture.Job("a").tasks, IsEmpty());
  FinishTrial(fixture, plan, 2);
  EXPECT_NE(fixture.Task("a", "quantize/0/mlp").result, mlp);
  ASSERT_TRUE(fixture.Apply(Tried("a", v1::TRANSFORM_FUSED, 2)).ok());

  ASSERT_TRUE(fixture.Apply(Planned("a", plan, 1)).ok());
  const JobRecord& job = fixture.Job("a");
  EXPECT_FALSE(job.on_trial());
  EXPECT_EQ(fixture.Task("a", "quantize/0/mlp").result, mlp);
  EXPECT_EQ(job.staging_directory, "/staging/1");
  EXPECT_EQ(job.files.size(), 1u);
  EXPECT_TRUE(job.AllDone(TaskKind::kQuantize));
  EXPECT_FALSE(job.AllDone(TaskKind::kEvaluate));
  ASSERT_EQ(job.trials.size(), 2u);
  EXPECT_EQ(job.trials[1].transform, v1::TRANSFORM_FUSED);
  EXPECT_EQ(job.trials[1].evaluation.kl_sum(), 2);
}

TEST(JobTransitionsTest, TrialsEndAfterTheirEvaluationAndArePlannedInOrder) {
  const v1::Plan plan = TestPlan({.blocks = 1, .shards = 1});
  StateFixture fixture;
  fixture.AddJob("b", plan);
  EXPECT_FALSE(fixture.Apply(Tried("b", v1::TRANSFORM_NONE, 1)).ok()) << "it tries nothing";
  ASSERT_TRUE(fixture.Apply(CreateUpdate("a")).ok());
  EXPECT_FALSE(fixture.Apply(Planned("a", plan, 2)).ok()) << "the first is not finished";
  ASSERT_TRUE(fixture.Apply(Planned("a", plan, 1)).ok());
  EXPECT_FALSE(fixture.Apply(Tried("a", v1::TRANSFORM_NONE, 1)).ok()) << "nothing is quantized";
}

TEST(JobTransitionsTest, SuccessPublishesAndDeletionForgets) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .calibrated = false}));
  fixture.Finish("a", {"quantize/0/attention", "quantize/0/mlp"});
  ASSERT_TRUE(fixture.Apply(EndUpdate("a", Job::STATE_SUCCEEDED)).ok());
  EXPECT_EQ(fixture.Job("a").phase, Job::PHASE_PUBLISHED);
  v1::Update deleted;
  deleted.mutable_job_deleted()->set_job_id("a");
  ASSERT_TRUE(fixture.Apply(deleted).ok());
  EXPECT_EQ(fixture.state.FindJob("a"), nullptr);
}

}  // namespace
}  // namespace heroq
