#include "coordinator/planning/transform_trials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/planning/cost_model.h"
#include "coordinator/planning/planner.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(TransformTrialsTest, EveryTransformIsTriedAndTheLeastDivergenceChosen) {
  const Trial first = NextTrial({});
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(first.transform, v1::TRANSFORM_NONE);
  EXPECT_FALSE(first.chosen);
  const Trial second = NextTrial({0.2});
  EXPECT_EQ(second.number, 2);
  EXPECT_EQ(second.transform, v1::TRANSFORM_FUSED);
  EXPECT_FALSE(second.chosen);
  const Trial fused = NextTrial({0.2, 0.1});
  EXPECT_EQ(fused.number, 2);
  EXPECT_EQ(fused.transform, v1::TRANSFORM_FUSED);
  EXPECT_TRUE(fused.chosen);
  EXPECT_EQ(NextTrial({0.1, 0.2}).transform, v1::TRANSFORM_NONE);
  EXPECT_EQ(NextTrial({0.1, 0.1}).number, 1) << "the first one on ties";
}

class TrialPlanTest : public testing::Test {
 protected:
  TrialPlanTest() {
    WriteTinyModel(files_, "/models/tiny");
    WriteTokens(files_, "/texts/tokens", 4 + kHeldOutSequences, 32, 100);
    WriteTokens(files_, "/texts/other", 3, 16, 100);
    spec_.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_AUTO);
    *spec_.mutable_model()->mutable_location() = LocalPath("/models/tiny");
    *spec_.mutable_output()->mutable_location() = LocalPath("/out/tiny");
    spec_.mutable_calibration()->set_samples(4);
    spec_.mutable_calibration()->set_sequence_length(32);
    *spec_.mutable_calibration()->mutable_source()->mutable_tokens_file() = LocalPath("/texts/tokens");
    *spec_.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/texts/other");
    spec_.mutable_evaluation()->set_sequences(3);
    spec_.mutable_evaluation()->set_sequence_length(16);
  }

  v1::Plan MakePlan(const Trial& trial) {
    const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec_, trial);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.value_or(v1::Plan());
  }

  MemoryFileSystem files_;
  MemoryBlobStore blobs_;
  Planner planner_{files_, blobs_, {{"local", "/"}}};
  v1::JobSpec spec_;
};

TEST_F(TrialPlanTest, TrialsDifferInTransformAndAreEvaluatedOnHeldOutTokens) {
  const v1::Plan none = MakePlan(NextTrial({}));
  const v1::Plan fused = MakePlan(NextTrial({0.2}));
  EXPECT_EQ(none.method().hero_q().transform(), v1::TRANSFORM_NONE);
  EXPECT_EQ(fused.method().hero_q().transform(), v1::TRANSFORM_FUSED);
  EXPECT_EQ(none.evaluation().sequences(), kHeldOutSequences);
  EXPECT_EQ(none.evaluation().sequence_length(), 32);
  EXPECT_EQ(none.evaluation_tokens().sha256(), fused.evaluation_tokens().sha256());
  EXPECT_EQ(none.calibration_tokens().sha256(), fused.calibration_tokens().sha256());
  EXPECT_NE(none.calibration_tokens().sha256(), none.evaluation_tokens().sha256());

  const v1::Plan chosen = MakePlan(NextTrial({0.1, 0.2}));
  EXPECT_EQ(chosen.method().hero_q().transform(), v1::TRANSFORM_NONE);
  EXPECT_EQ(chosen.evaluation().sequences(), 3);
  EXPECT_NE(chosen.evaluation_tokens().sha256(), none.evaluation_tokens().sha256());
  EXPECT_EQ(chosen.calibration_tokens().sha256(), none.calibration_tokens().sha256());
}

TEST_F(TrialPlanTest, TheDigestIsOfTheSpecWhateverIsChosen) {
  const std::string digest = planner_.MakePlan(spec_)->spec_digest();
  EXPECT_EQ(MakePlan(NextTrial({})).spec_digest(), digest);
  EXPECT_EQ(MakePlan(NextTrial({0.2, 0.1})).spec_digest(), digest);
  spec_.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_FUSED);
  EXPECT_NE(planner_.MakePlan(spec_)->spec_digest(), digest);
}

TEST_F(TrialPlanTest, TextWithoutSequencesToHoldBackIsRefused) {
  spec_.mutable_calibration()->set_samples(5);
  const absl::Status refused = planner_.MakePlan(spec_).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("21"));
}

TEST_F(TrialPlanTest, BothTransformsAreInTheCost) {
  const v1::CostEstimate both = planner_.Inspect(spec_)->plan.cost();
  spec_.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_FUSED);
  const v1::CostEstimate one = planner_.Inspect(spec_)->plan.cost();
  EXPECT_EQ(both.solver_flops(), 2 * one.solver_flops());
  EXPECT_EQ(both.task_count(), 2 * one.task_count());
  EXPECT_GT(both.disk_bytes(), one.disk_bytes());
}

TEST_F(TrialPlanTest, EvaluatingTrialsIsInTheMemory) {
  spec_.mutable_evaluation()->Clear();
  v1::Plan plan = planner_.Inspect(spec_)->plan;
  ModelLayout layout;
  layout.hidden_size = layout.intermediate_size = 64;
  layout.vocab_size = 1 << 20;
  layout.blocks.resize(2);
  EXPECT_EQ(EstimateCost(plan, layout, 0).worker_peak_phase(), "evaluation");
  plan.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_FUSED);
  EXPECT_NE(EstimateCost(plan, layout, 0).worker_peak_phase(), "evaluation");
}

// With a vocabulary this large an evaluation holds more than any unit.
TEST_F(TrialPlanTest, TheChosenPlanAllowsForTheEvaluationOfEveryTrial) {
  WriteTinyModel(files_, "/models/wordy", {.vocab = 10000});
  *spec_.mutable_model()->mutable_location() = LocalPath("/models/wordy");
  spec_.mutable_evaluation()->Clear();
  const v1::CostEstimate asked = planner_.MakePlan(spec_)->cost();
  EXPECT_EQ(asked.worker_peak_phase(), "evaluation");
  const v1::CostEstimate chosen = MakePlan(NextTrial({0.1, 0.2})).cost();
  EXPECT_EQ(chosen.worker_peak_memory_bytes(), asked.worker_peak_memory_bytes());
  EXPECT_EQ(chosen.worker_peak_phase(), "evaluation");
}

}  // namespace
}  // namespace heroq
