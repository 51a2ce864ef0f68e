#include "worker/agent/evaluate_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status/error_reason.h"
#include "tests/unit/worker/agent/task_fixture.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class EvaluateTaskTest : public TaskTest {
 protected:
  absl::StatusOr<v1::TaskResult> Evaluate(const std::string& checkpoint, int begin, int end) {
    v1::EvaluateTask task;
    *task.mutable_tokens() = tokens_;
    task.set_sequence_begin(begin);
    task.set_sequence_end(end);
    task.set_checkpoint_directory(checkpoint);
    return RunEvaluateTask(task, context_, Environment(), *source_);
  }
};

TEST_F(EvaluateTaskTest, AModelDoesNotDivergeFromItself) {
  const v1::EvaluationResult result = Evaluate("/model", 0, 3)->evaluation();
  EXPECT_EQ(result.token_count(), 3 * (kLength - 1));
  EXPECT_EQ(result.kl_sum(), 0);
  EXPECT_EQ(result.original_nll_sum(), result.quantized_nll_sum());
  EXPECT_GT(result.original_nll_sum(), 0);
}

TEST_F(EvaluateTaskTest, RangesOfSequencesAddUp) {
  WriteTinyModel(files_, "/other", {.seed = 7});
  const v1::EvaluationResult whole = Evaluate("/other", 0, 7)->evaluation();
  const v1::EvaluationResult first = Evaluate("/other", 0, 3)->evaluation();
  const v1::EvaluationResult second = Evaluate("/other", 3, 7)->evaluation();
  EXPECT_EQ(first.token_count() + second.token_count(), whole.token_count());
  EXPECT_NEAR(first.kl_sum() + second.kl_sum(), whole.kl_sum(), 1e-9 * whole.kl_sum());
  EXPECT_NEAR(first.quantized_nll_sum() + second.quantized_nll_sum(), whole.quantized_nll_sum(),
              1e-9 * whole.quantized_nll_sum());
  EXPECT_GT(whole.kl_sum(), 0);
}

TEST_F(EvaluateTaskTest, AnotherModelIsRefusedByName) {
  WriteTinyModel(files_, "/deeper", {.blocks = 3});
  const absl::Status status = Evaluate("/deeper", 0, 1).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/deeper"));
}

TEST_F(EvaluateTaskTest, SequencesThatAreNotThereAreRefused) {
  EXPECT_TRUE(HasReason(Evaluate("/model", 0, kSequences + 1).status(), Reason::kInternal));
  EXPECT_TRUE(HasReason(Evaluate("/model", 2, 2).status(), Reason::kInternal));
}

TEST_F(EvaluateTaskTest, StopsWhenCancelled) {
  cancellation_.Cancel();
  EXPECT_TRUE(HasReason(Evaluate("/model", 0, 1).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
