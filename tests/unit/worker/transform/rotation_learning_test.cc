#include "worker/transform/rotation_learning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/status/error_reason.h"
#include "tests/unit/worker/transform/rotation_fixture.h"
#include "worker/device/thread_settings.h"
#include "worker/transform/cayley.h"
#include "worker/transform/rotation_loss.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(RotationLearningTest, LearningLowersTheLossOfHadamardBlocks) {
  for (const bool symmetric : {false, true}) {
    for (const ErrorMetric metric : {ErrorMetric::kOutput, ErrorMetric::kRootDiagonal}) {
      RotationProblem problem = InFloat32(OutlierProblem(64, 128, 4, 5));
      problem.scheme.symmetric = symmetric;
      RotationOptions options;
      options.metric = metric;
      const auto learned = LearnRotations(problem, HadamardRotations(4, 32), options, {});
      ASSERT_TRUE(learned.ok()) << learned.status();
      EXPECT_FALSE(learned->diverged) << learned->reason;
      EXPECT_LT(learned->final_loss, 0.9 * learned->initial_loss);
      EXPECT_EQ(learned->losses.front(), learned->initial_loss);
      EXPECT_EQ(learned->losses[learned->best_step], learned->final_loss);
      EXPECT_EQ(learned->rotations.scalar_type(), at::kFloat);
      const RotationLoss loss(problem, 32, metric, options.max_rows);
      EXPECT_NEAR(loss.Evaluate(learned->rotations, {})->loss, learned->final_loss,
                  1e-3 * learned->final_loss);
    }
  }
}

TEST(RotationLearningTest, TwoHundredStepsGiveOrthogonalFloat32Matrices) {
  const RotationProblem problem = InFloat32(OutlierProblem(32, 128, 2, 6));
  RotationOptions options;
  options.steps = 200;
  options.patience = 200;
  const auto learned = LearnRotations(problem, HadamardRotations(2, 64).to(at::kFloat), options, {});
  ASSERT_TRUE(learned.ok()) << learned.status();
  EXPECT_EQ(learned->losses.size(), 201);
  EXPECT_GT(learned->best_step, 60);
  EXPECT_LE(DistanceFromOrthogonal(learned->rotations), 1e-6);
}

TEST(RotationLearningTest, BlocksThatShareARotationLearnOneThatHelpsAllOfThem) {
  RotationProblem problem = InFloat32(OutlierProblem(64, 64, 4, 5));
  problem.rotation_of_block = {0, 0, 0, 0};
  const auto shared = LearnRotations(problem, HadamardRotations(1, 16), {}, {});
  ASSERT_TRUE(shared.ok()) << shared.status();
  EXPECT_EQ(shared->rotations.sizes(), (std::vector<int64_t>{1, 16, 16}));
  EXPECT_LT(shared->final_loss, 0.95 * shared->initial_loss);
  problem.rotation_of_block = {0, 1, 2, 3};
  const auto own = LearnRotations(problem, HadamardRotations(4, 16), {}, {});
  EXPECT_EQ(own->initial_loss, shared->initial_loss);
  EXPECT_LT(own->final_loss, shared->final_loss);
}

TEST(RotationLearningTest, TheResultDoesNotDependOnTheThreadSetting) {
  const RotationProblem problem = InFloat32(OutlierProblem(300, 512, 8, 8));
  RotationOptions options;
  options.steps = 5;
  options.metric = ErrorMetric::kOutput;
  std::vector<LearnedRotation> results;
  for (const int threads : {1, 2}) {
    SetTaskThreads(threads);
    results.push_back(*LearnRotations(problem, HadamardRotations(8, 64), options, {}));
  }
  SetTaskThreads(1);
  EXPECT_TRUE(results[0].rotations.equal(results[1].rotations));
  EXPECT_EQ(results[0].losses, results[1].losses);
}

TEST(RotationLearningTest, StepsThatOnlyRaiseTheLossReturnTheInitialRotations) {
  // Learned rotations are near a minimum: steps of half a turn lead away from it.
  const RotationProblem problem = InFloat32(OutlierProblem(64, 64, 2, 5));
  const auto learned = LearnRotations(problem, HadamardRotations(2, 32), {}, {});
  RotationOptions wild;
  wild.step = 5;
  wild.patience = 10;
  const auto diverged = LearnRotations(problem, learned->rotations, wild, {});
  ASSERT_TRUE(diverged.ok()) << diverged.status();
  EXPECT_TRUE(diverged->diverged);
  EXPECT_THAT(diverged->reason, HasSubstr("not below the initial"));
  EXPECT_THAT(diverged->reason, HasSubstr("in 10 steps"));
  EXPECT_EQ(diverged->best_step, 0);
  EXPECT_EQ(diverged->final_loss, diverged->initial_loss);
  EXPECT_TRUE(diverged->rotations.equal(learned->rotations));
}

TEST(RotationLearningTest, LearningEndsWhenItNoLongerGetsBetter) {
  const RotationProblem problem = InFloat32(OutlierProblem(16, 32, 2, 5));
  RotationOptions options;
  options.steps = 100000;
  const auto learned = LearnRotations(problem, HadamardRotations(2, 16), options, {});
  ASSERT_TRUE(learned.ok()) << learned.status();
  EXPECT_FALSE(learned->diverged) << learned->reason;
  EXPECT_GT(learned->best_step, 0);
  EXPECT_EQ(learned->losses.size(), learned->best_step + options.patience + 1);
}

TEST(RotationLearningTest, ALossThatIsNotFiniteIsReported) {
  RotationProblem problem = InFloat32(OutlierProblem(8, 32, 2, 5));
  problem.weight[3][5] = std::numeric_limits<float>::infinity();
  const auto learned = LearnRotations(problem, HadamardRotations(2, 16), {}, {});
  ASSERT_TRUE(learned.ok()) << learned.status();
  EXPECT_TRUE(learned->diverged);
  EXPECT_THAT(learned->reason, HasSubstr("the loss of step 0 is"));
  EXPECT_TRUE(learned->rotations.equal(HadamardRotations(2, 16).to(at::kFloat)));
}

TEST(RotationLearningTest, AZeroWeightHasNothingToLearn) {
  RotationProblem problem = InFloat32(OutlierProblem(8, 32, 2, 5));
  problem.weight.zero_();
  const auto learned = LearnRotations(problem, HadamardRotations(2, 16), {}, {});
  ASSERT_TRUE(learned.ok()) << learned.status();
  EXPECT_FALSE(learned->diverged);
  EXPECT_THAT(learned->reason, HasSubstr("nothing to learn"));
  EXPECT_TRUE(learned->rotations.equal(HadamardRotations(2, 16).to(at::kFloat)));
}

TEST(RotationLearningTest, WhatDoesNotFitIsRefused) {
  const RotationProblem problem = InFloat32(OutlierProblem(8, 32, 2, 5));
  const auto reject = [&](const RotationProblem& bad, const at::Tensor& initial, const char* message) {
    const absl::Status status = LearnRotations(bad, initial, {}, {}).status();
    EXPECT_TRUE(HasReason(status, Reason::kInternal)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  };
  reject(problem, HadamardRotations(2, 8), "2 blocks of 8 and 1024 second moments do not fit 32 inputs");
  reject(problem, HadamardRotations(1, 16), "a block uses rotation 1 of 1");
  reject(problem, HadamardRotations(2, 16).mul_(1.01), "away from orthogonal");
  reject(problem, HadamardRotations(2, 16)[0], "expected [count, b, b]");
  RotationProblem few = problem;
  few.second_moment = few.second_moment.slice(0, 0, 16);
  reject(few, HadamardRotations(2, 16), "512 second moments");
}

TEST(RotationLearningTest, LearningStopsWhenCancelled) {
  const Cancellation cancellation;
  cancellation.Cancel();
  const auto learned =
      LearnRotations(InFloat32(OutlierProblem(8, 32, 2, 5)), HadamardRotations(2, 16), {}, cancellation);
  EXPECT_TRUE(HasReason(learned.status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
