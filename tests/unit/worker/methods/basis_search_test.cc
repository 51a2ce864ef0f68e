#include "worker/methods/basis_search.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/worker/methods/unit_problem.h"
#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr LinearInput kInput = LinearInput::kAttentionOut;

class BasisSearchTest : public ::testing::Test {
 protected:
  BasisSearchTest() {
    AddLinears(MakeProblem(96, 64, 400, 5), kInput, {96}, MakeScheme(3, 16, true), &work_);
    options_.rotation = HeroQOptions::Rotation::kLearned;
    options_.alphas = {{0, 0.1, 0.2, 0.3, 0.4}, 0, 96, 96, 1};
    options_.learning.steps = 30;
  }

  TransformOutcome Search(InputTransform* found = nullptr) {
    const TransformScore score(work_, kInput, options_.alphas.rows, ScorerOf(options_), never_);
    InputTransform start;
    start.rotation = HadamardMatrix(16, at::kFloat).unsqueeze(0);
    start.rotation_of_block = {0, 0, 0, 0};
    const BasisProblem problem{work_, kInput, start, score.diagonal(), {0, 1, 2, 3}};
    TransformOutcome outcome;
    auto transform = SearchBasis(problem, score, options_, never_, outcome);
    EXPECT_TRUE(transform.ok()) << transform.status();
    EXPECT_NEAR(*score(*transform), outcome.loss, 1e-9) << "the outcome is of what was chosen";
    if (found != nullptr) *found = *transform;
    return outcome;
  }

  UnitWork work_;
  HeroQOptions options_;
  Cancellation never_;
};

TEST_F(BasisSearchTest, ASecondAlphaGoesOnFromWhatTheFirstLearned) {
  const TransformOutcome one = Search();
  ASSERT_EQ(one.rotation, "learned");
  options_.alphas.candidates = 5;
  const TransformOutcome all = Search();
  ASSERT_LT(all.loss, one.loss);
  ASSERT_NE(all.alpha, one.alpha);
  EXPECT_EQ(all.rotation, "learned");
  EXPECT_THAT(all.rotation_note, HasSubstr("went on from the rotation learned for alpha"));
  EXPECT_GT(all.rotation_steps, one.rotation_steps);
  EXPECT_LE(all.rotation_steps, one.rotation_steps + 30 / 5);
  ASSERT_TRUE(all.hadamard_loss.has_value());
  EXPECT_GT(*all.hadamard_loss, *one.hadamard_loss) << "of its own alpha, which was not the first";
}

TEST_F(BasisSearchTest, MoreCandidatesNeverLoseMore) {
  double before = 1;
  for (const int candidates : {1, 2, 3}) {
    options_.alphas.candidates = candidates;
    const double loss = Search().loss;
    EXPECT_LE(loss, before);
    before = loss;
  }
}

TEST_F(BasisSearchTest, HalvingChoosesAsScoringEverythingDoes) {
  options_.rotation = HeroQOptions::Rotation::kHadamard;
  options_.alphas.alphas = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
  InputTransform exhaustive, halved;
  const TransformOutcome all = Search(&exhaustive);
  options_.alphas.first_rows = 24;
  const TransformOutcome half = Search(&halved);
  EXPECT_EQ(all.curve.size(), 9);
  EXPECT_EQ(half.curve.size(), 9 + 5 + 3);
  EXPECT_EQ(half.alpha, all.alpha);
  EXPECT_DOUBLE_EQ(half.loss, all.loss);
  EXPECT_TRUE(at::equal(halved.rotation, exhaustive.rotation));
}

}  // namespace
}  // namespace heroq
