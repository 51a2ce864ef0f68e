#include "coordinator/state/job_record.h"

#include <gtest/gtest.h>

#include "tests/support/state_fixture.h"

namespace heroq {
namespace {

bool Ready(const StateFixture& fixture, const std::string& task) {
  return fixture.Job("a").Ready(fixture.Job("a").graph->Find(task).value());
}

TEST(JobRecordTest, TaskIsReadyWhenItsDependenciesAreDone) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 2, .shards = 2}));
  EXPECT_TRUE(Ready(fixture, "capture/0/0"));
  EXPECT_FALSE(Ready(fixture, "capture/1/0"));
  fixture.Finish("a", {"capture/0/0"});
  EXPECT_FALSE(Ready(fixture, "capture/0/0"));
  EXPECT_TRUE(Ready(fixture, "capture/1/0"));
  EXPECT_FALSE(Ready(fixture, "quantize/0/mlp"));
  fixture.Lease("a", {"capture/0/1"});
  EXPECT_FALSE(Ready(fixture, "capture/0/1"));
}

TEST(JobRecordTest, EvaluationWaitsForTheStagedDirectory) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.calibrated = false, .quantized = false, .evaluation_sequences = 2}));
  EXPECT_FALSE(Ready(fixture, "evaluate/0"));
  ASSERT_TRUE(fixture.Apply(PhaseUpdate("a", v1::QuantizationJob::PHASE_VALIDATING, "/staged")).ok());
  EXPECT_TRUE(Ready(fixture, "evaluate/0"));
}

TEST(JobRecordTest, NothingIsReadyInAJobThatIsBeingCancelled) {
  StateFixture fixture;
  fixture.AddJob("a");
  ASSERT_TRUE(fixture.Apply(CancelUpdate("a")).ok());
  EXPECT_FALSE(Ready(fixture, "capture/0/0"));
}

TEST(JobRecordTest, AllDoneLooksAtOneKind) {
  StateFixture fixture;
  fixture.AddJob("a", TestPlan({.blocks = 1, .calibrated = false, .evaluation_sequences = 1}));
  EXPECT_FALSE(fixture.Job("a").AllDone(TaskKind::kQuantize));
  EXPECT_TRUE(fixture.Job("a").AllDone(TaskKind::kCapture));
  fixture.Finish("a", {"quantize/0/attention", "quantize/0/mlp"});
  EXPECT_TRUE(fixture.Job("a").AllDone(TaskKind::kQuantize));
  EXPECT_FALSE(fixture.Job("a").AllDone(TaskKind::kEvaluate));
}

}  // namespace
}  // namespace heroq
