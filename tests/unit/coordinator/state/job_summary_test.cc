#include "coordinator/state/job_summary.h"

#include <gtest/gtest.h>

#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

v1::TaskResult Took(double seconds) {
  v1::TaskResult result;
  result.mutable_metrics()->set_seconds(seconds);
  return result;
}

TEST(JobSummaryTest, QueuedJobHasNothingToCount) {
  StateFixture fixture;
  ASSERT_TRUE(fixture.Apply(CreateUpdate("a", 3)).ok());
  const v1::QuantizationJob job = SummarizeJob(fixture.Job("a"), {}, "");
  EXPECT_EQ(job.name(), "quantizationJobs/a");
  EXPECT_EQ(job.state(), v1::QuantizationJob::STATE_QUEUED);
  EXPECT_EQ(job.spec().priority(), 3);
  EXPECT_EQ(job.calibration().tasks_total(), 0);
  EXPECT_FALSE(job.has_start_time());
  EXPECT_LT(job.eta_seconds(), 0);
}

TEST(JobSummaryTest, CountsTasksByPhase) {
  StateFixture fixture;
  fixture.AddJob(
      "a",
      TestPlan(
          {.blocks = 2, .shards = 2, .propagation = v1::PROPAGATION_QUANTIZED, .evaluation_sequences = 3}));
  fixture.Finish("a", {"capture/0/0", "capture/0/1", "quantize/0/mlp"});
  const v1::QuantizationJob job = SummarizeJob(fixture.Job("a"), {}, "no workers");
  EXPECT_EQ(job.calibration().tasks_done(), 2);
  EXPECT_EQ(job.calibration().tasks_total(), 6) << "4 captures and 2 advances";
  EXPECT_EQ(job.quantization().tasks_done(), 1);
  EXPECT_EQ(job.quantization().tasks_total(), 4);
  EXPECT_EQ(job.evaluation().tasks_total(), 3);
  EXPECT_EQ(job.waiting_for(), "no workers");
  EXPECT_TRUE(job.has_start_time());
}

TEST(JobSummaryTest, EtaIsWorkLeftOverRunningLeases) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .shards = 4}));
  // Two shards on one lease of 6 s: 3 s each, 2 left.
  ASSERT_TRUE(
      fixture.Apply(CompleteUpdate(fixture.Lease("a", {"capture/0/0", "capture/0/1"}), Took(6))).ok());
  const std::vector<v1::RunningTask> running(2);
  EXPECT_LT(SummarizeJob(fixture.Job("a"), running, "").eta_seconds(), 0) << "no quantize task has finished";
  fixture.Finish("a", {"capture/0/2", "capture/0/3"}, Took(3));
  fixture.Finish("a", {"quantize/0/mlp"}, Took(10));
  EXPECT_DOUBLE_EQ(SummarizeJob(fixture.Job("a"), running, "").eta_seconds(), 5) << "10 s on two leases";
  EXPECT_LT(SummarizeJob(fixture.Job("a"), {}, "").eta_seconds(), 0) << "nothing runs";
}

TEST(JobSummaryTest, EtaCountsEvaluationBeforeItBegins) {
  StateFixture fixture;
  v1::Plan plan = TestPlan({.blocks = 1, .shards = 2, .evaluation_sequences = 3});
  plan.mutable_calibration()->set_samples(4);
  plan.mutable_calibration()->set_sequence_length(8);
  plan.mutable_evaluation()->set_sequence_length(8);
  fixture.AddJob("a", plan);
  // One block over 4 x 8 / 2 tokens takes 2 s.
  fixture.Finish("a", {"capture/0/0"}, Took(2));
  fixture.Finish("a", {"capture/0/1"}, Took(2));
  fixture.Finish("a", {"quantize/0/mlp"}, Took(10));
  const std::vector<v1::RunningTask> running(1);
  EXPECT_DOUBLE_EQ(SummarizeJob(fixture.Job("a"), running, "").eta_seconds(), 10 + 2.0 / 16 * 2 * 1 * 3 * 8)
      << "one unit, and two models of one block over 3 x 8 tokens";
}

TEST(JobSummaryTest, FailureIsShownOnceTheJobHasFailed) {
  StateFixture fixture;
  fixture.AddJob("a");
  v1::Update failed = EndUpdate("a", v1::QuantizationJob::STATE_FAILED);
  failed.mutable_job_ended()->mutable_failure()->set_reason("OUT_OF_MEMORY");
  ASSERT_TRUE(fixture.Apply(failed).ok());
  const v1::QuantizationJob job = SummarizeJob(fixture.Job("a"), {}, "");
  EXPECT_EQ(job.failure().reason(), "OUT_OF_MEMORY");
  EXPECT_FALSE(job.has_result());
  EXPECT_TRUE(job.has_end_time());
}

}  // namespace
}  // namespace heroq
