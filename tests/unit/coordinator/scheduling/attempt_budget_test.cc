#include "coordinator/scheduling/attempt_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

using ::testing::HasSubstr;

std::string ReasonOf(const TaskRecord& task, v1::FailureKind kind = v1::FAILURE_KIND_UNSPECIFIED) {
  const auto failure = JudgeAttempts(task, "quantize/0/mlp", kind, "what happened", LeaseOptions());
  if (!failure.has_value()) return "";
  EXPECT_EQ(failure->task_id(), "quantize/0/mlp");
  EXPECT_THAT(failure->message(), HasSubstr("quantize/0/mlp"));
  EXPECT_THAT(failure->message(), HasSubstr("what happened"));
  return failure->reason();
}

TaskRecord Charged(int losses, int failures, int out_of_memory) {
  TaskRecord task;
  task.losses = losses;
  task.failures = failures;
  task.out_of_memory = out_of_memory;
  return task;
}

TEST(AttemptBudgetTest, WrongInputNumericalAndUnsupportedAreNeverRetried) {
  EXPECT_EQ(ReasonOf({}, v1::FAILURE_KIND_INVALID_INPUT), "MODEL_INVALID");
  EXPECT_EQ(ReasonOf({}, v1::FAILURE_KIND_NUMERICAL), "NUMERICAL_FAILURE");
  EXPECT_EQ(ReasonOf({}, v1::FAILURE_KIND_UNSUPPORTED), "UNSUPPORTED");
  EXPECT_FALSE(IsRetried(v1::FAILURE_KIND_NUMERICAL));
  EXPECT_TRUE(IsRetried(v1::FAILURE_KIND_INTERNAL));
  EXPECT_TRUE(IsRetried(v1::FAILURE_KIND_OUT_OF_MEMORY));
  EXPECT_TRUE(IsRetried(v1::FAILURE_KIND_INPUT_LOST));
}

TEST(AttemptBudgetTest, OnlyWhatAnotherWorkerCouldDoBetterSpeaksAgainstOne) {
  EXPECT_TRUE(SpeaksAgainstWorker(v1::FAILURE_KIND_INTERNAL));
  EXPECT_TRUE(SpeaksAgainstWorker(v1::FAILURE_KIND_OUT_OF_MEMORY));
  EXPECT_FALSE(SpeaksAgainstWorker(v1::FAILURE_KIND_NUMERICAL));
  EXPECT_FALSE(SpeaksAgainstWorker(v1::FAILURE_KIND_INPUT_LOST));
}

TEST(AttemptBudgetTest, EachCauseHasABudgetOfItsOwn) {
  EXPECT_EQ(ReasonOf(Charged(19, 4, 1)), "");
  EXPECT_EQ(ReasonOf(Charged(0, 5, 0), v1::FAILURE_KIND_INTERNAL), "RETRIES_EXHAUSTED");
  EXPECT_EQ(ReasonOf(Charged(20, 0, 0)), "RETRIES_EXHAUSTED");
  EXPECT_EQ(ReasonOf(Charged(0, 0, 2), v1::FAILURE_KIND_OUT_OF_MEMORY), "OUT_OF_MEMORY");
}

TEST(AttemptBudgetTest, FiveDeathsInARowQuarantine) {
  EXPECT_FALSE(JudgeDeaths(4, "capture/0/0", LeaseOptions()).has_value());
  EXPECT_THAT(JudgeDeaths(5, "capture/0/0", LeaseOptions())->message(), HasSubstr("quarantined"));
}

}  // namespace
}  // namespace heroq
