#include "worker/transform/exact_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/status/error_reason.h"
#include "tests/unit/worker/transform/rotation_fixture.h"
#include "worker/transform/cayley.h"
#include "worker/transform/group_rounding.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kInputs = 32;

RotationProblem Problem() { return InFloat32(OutlierProblem(16, kInputs, 1, 5)); }

std::vector<AlphaCandidate> Candidates(const at::Tensor& second_moment, const std::vector<double>& alphas) {
  std::vector<AlphaCandidate> candidates;
  for (const double alpha : alphas) candidates.push_back({alpha, second_moment.diagonal().pow(alpha / 2)});
  return candidates;
}

// Round to nearest, by group_rounding: tr(E H E^T).
BaseQuantizerLoss NearestLoss(const QuantScheme& scheme) {
  return [scheme](const at::Tensor& weight, const at::Tensor& second_moment) -> absl::StatusOr<double> {
    const at::Tensor groups = weight.view({weight.size(0), -1, scheme.group_length(weight.size(1))});
    const at::Tensor error = RoundGroups(groups, scheme).rounded.view_as(weight).sub(weight);
    return error.mm(second_moment).mul_(error).sum().item<double>();
  };
}

absl::StatusOr<ExactSearchResult> Search(const RotationProblem& problem, const std::vector<double>& alphas,
                                         const BaseQuantizerLoss& base_quantizer,
                                         const Cancellation& cancellation = {}) {
  RotationOptions options;
  options.metric = ErrorMetric::kOutput;
  options.steps = 40;
  return ExactSearch(problem.weight, problem.second_moment, problem.scheme, HadamardRotations(1, kInputs)[0],
                     Candidates(problem.second_moment, alphas), options, base_quantizer, cancellation);
}

TEST(ExactSearchTest, EveryAlphaIsLearnedAndTheLeastLossWins) {
  const RotationProblem problem = Problem();
  const std::vector<double> alphas = {0, 0.2, 0.4, 0.8};
  const auto found = Search(problem, alphas, NearestLoss(problem.scheme));
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->curve.size(), alphas.size());
  for (size_t i = 0; i < alphas.size(); ++i) {
    const AlphaOutcome& outcome = found->curve[i];
    EXPECT_EQ(outcome.alpha, alphas[i]);
    // What learning counted in the old basis is what the base quantizer counts in the new one.
    EXPECT_NEAR(outcome.unlearned_loss, outcome.learned.initial_loss, 1e-3 * outcome.unlearned_loss);
    EXPECT_NEAR(outcome.loss, outcome.learned.final_loss, 1e-3 * outcome.loss);
    EXPECT_LT(outcome.loss, outcome.unlearned_loss);
    EXPECT_LE(found->curve[found->best].loss, outcome.loss);
    EXPECT_LE(DistanceFromOrthogonal(outcome.learned.rotations), 1e-6);
  }
  const auto again = Search(problem, alphas, NearestLoss(problem.scheme));
  EXPECT_TRUE(again->curve[0].learned.rotations.equal(found->curve[0].learned.rotations));
}

TEST(ExactSearchTest, TheBestAlphaIsTheBaseQuantizersChoiceAndTheFirstOnTies) {
  const std::vector<double> losses = {3, 3, 2, 2, 2, 2, 4, 4};
  size_t call = 0;
  const auto found =
      Search(Problem(), {0, 0.1, 0.2, 0.3},
             [&](const at::Tensor&, const at::Tensor&) -> absl::StatusOr<double> { return losses[call++]; });
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->best, 1);
}

TEST(ExactSearchTest, FailuresAreReported) {
  const RotationProblem problem = Problem();
  const BaseQuantizerLoss nearest = NearestLoss(problem.scheme);
  EXPECT_TRUE(HasReason(Search(problem, {}, nearest).status(), Reason::kInternal));

  const auto failing = [](const at::Tensor&, const at::Tensor&) -> absl::StatusOr<double> {
    return MakeError(Reason::kNumericalFailure, "not positive definite");
  };
  EXPECT_THAT(std::string(Search(problem, {0}, failing).status().message()),
              HasSubstr("not positive definite"));

  RotationProblem zero = problem;
  zero.weight = zero.weight.mul(0);
  EXPECT_TRUE(HasReason(Search(zero, {0}, nearest).status(), Reason::kNumericalFailure));

  const auto misfit =
      ExactSearch(problem.weight, problem.second_moment, problem.scheme, HadamardRotations(1, kInputs)[0],
                  {{0.5, problem.second_moment.diagonal().slice(0, 0, 8)}}, {}, nearest, {});
  EXPECT_THAT(std::string(misfit.status().message()), HasSubstr("alpha 0.5 has 8 values for 32 inputs"));

  const Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_TRUE(HasReason(Search(problem, {0}, nearest, cancellation).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
