#include "worker/methods/basis_search.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/transform/conditioning.h"

namespace heroq {
namespace {

using Rotation = HeroQOptions::Rotation;

// What the candidates of a search hold together at most. The memory model counts it.
constexpr int64_t kMostHeldBytes = int64_t{64} << 20;
// Twenty steps from a rotation learned for a nearby alpha lose about what a hundred from a Hadamard do.
constexpr int kWarmShare = 5;

std::string NameOf(Rotation rotation) {
  switch (rotation) {
    case Rotation::kNone:
      return "none";
    case Rotation::kHadamard:
      return "hadamard";
    case Rotation::kRandom:
      return "random";
    case Rotation::kLearned:
      return "learned";
  }
  return "";
}

class BasisSearch {
 public:
  BasisSearch(const BasisProblem& problem, const TransformScore& score, const HeroQOptions& options,
              const Cancellation& cancellation)
      : problem_(problem), score_(score), options_(options), cancellation_(cancellation) {}

  absl::StatusOr<InputTransform> Run(TransformOutcome& outcome) const {
    HEROQ_ASSIGN_OR_RETURN(AlphaChoice choice, ScoreAlphas());
    const AlphaScore& best = choice.ranking.front();
    outcome.curve = std::move(choice.curve);
    outcome.alpha = best.alpha;
    outcome.loss = best.loss;
    const at::Tensor& rotation = problem_.start.rotation;
    outcome.rotation_size = rotation.defined() ? rotation.size(-1) : 0;
    const bool learns = rotation.defined() && options_.rotation == Rotation::kLearned;
    outcome.rotation = !rotation.defined() ? NameOf(Rotation::kNone)
                       : learns            ? NameOf(Rotation::kHadamard)
                                           : NameOf(options_.rotation);
    InputTransform transform = WithAlpha(best.alpha);
    if (learns) HEROQ_RETURN_IF_ERROR(Learn(choice.ranking, transform, outcome));
    return transform;
  }

 private:
  InputTransform WithAlpha(double alpha) const {
    InputTransform transform = problem_.start;
    if (alpha == 0) return transform;
    const at::Tensor scale = ConditioningScale(problem_.diagonal, alpha);
    transform.scale = transform.scale.defined() ? transform.scale * scale : scale;
    return transform;
  }

  absl::StatusOr<AlphaChoice> ScoreAlphas() const {
    AlphaGrid grid = options_.alphas;
    grid.rows = std::min(grid.rows, score_.rows());
    const int64_t inputs = problem_.diagonal.numel();
    const int64_t held_bytes = static_cast<int64_t>(grid.alphas.size()) * inputs * inputs / 2 * 4;
    if (held_bytes > kMostHeldBytes) grid.first_rows = grid.rows;
    // Candidates of more than one round.
    std::map<double, std::unique_ptr<TransformScore::Candidate>> held;
    return SearchAlpha(grid, [&](double alpha, int64_t rows) -> absl::StatusOr<double> {
      const auto found = held.find(alpha);
      if (found != held.end()) return found->second->Loss(rows);
      HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<TransformScore::Candidate> candidate,
                             score_.Prepare(WithAlpha(alpha)));
      HEROQ_ASSIGN_OR_RETURN(const double loss, candidate->Loss(rows));
      if (rows < grid.rows) held[alpha] = std::move(candidate);
      return loss;
    });
  }

  // Leaves what `transform` and `outcome` say where no learned rotation loses less.
  absl::Status Learn(const std::vector<AlphaScore>& ranking, InputTransform& transform,
                     TransformOutcome& outcome) const {
    const size_t candidates = std::min(ranking.size(), static_cast<size_t>(options_.alphas.candidates));
    const RotationOptions cold = LearningOf(options_);
    RotationOptions warm = cold;
    warm.steps = std::max(1, cold.steps / kWarmShare);
    LearnedRotation first;
    outcome.hadamard_loss = outcome.loss;
    for (size_t index = 0; index < candidates; ++index) {
      const AlphaScore& scored = ranking[index];
      const bool goes_on = index > 0 && first.best_step > 0;
      InputTransform candidate = WithAlpha(scored.alpha);
      HEROQ_ASSIGN_OR_RETURN(const LearnedRotation learned,
                             goes_on ? LearnFrom(first.rotations, candidate.scale, warm)
                                     : LearnFrom(HadamardStart(), candidate.scale, cold));
      candidate.rotation = learned.rotations;
      candidate.rotation_of_block = problem_.learned_rotation_of_block;
      HEROQ_ASSIGN_OR_RETURN(const double loss, score_(candidate));
      const int steps = static_cast<int>(learned.losses.size()) - 1;
      const bool better = loss < outcome.loss;
      if (better || index == 0) {
        outcome.hadamard_loss = scored.loss;
        outcome.rotation_steps = goes_on ? static_cast<int>(first.losses.size()) - 1 + steps : steps;
        outcome.rotation_note =
            goes_on ? absl::StrCat("went on from the rotation learned for alpha ", ranking.front().alpha)
                    : learned.reason;
      }
      if (better) {
        outcome.alpha = scored.alpha;
        outcome.loss = loss;
        outcome.rotation = NameOf(Rotation::kLearned);
        transform = std::move(candidate);
      }
      if (index == 0) first = learned;
    }
    return absl::OkStatus();
  }

  at::Tensor HadamardStart() const {
    const std::vector<int64_t>& blocks = problem_.learned_rotation_of_block;
    const int64_t count = *std::max_element(blocks.begin(), blocks.end()) + 1;
    const int64_t size = problem_.start.rotation.size(-1);
    return problem_.start.rotation.expand({count, size, size}).contiguous();
  }

  absl::StatusOr<LearnedRotation> LearnFrom(const at::Tensor& initial, const at::Tensor& scale,
                                            const RotationOptions& learning) const {
    InputTransform scaled;
    scaled.scale = scale;
    RotationProblem rotation;
    std::vector<at::Tensor> weights;
    for (const LinearWork& linear : problem_.work.linears) {
      if (linear.input != problem_.input) continue;
      weights.push_back(TransformWeight(linear.weight.to(at::kFloat), scaled));
      rotation.scheme = linear.scheme;
    }
    rotation.weight = at::cat(weights);
    rotation.second_moment =
        TransformMoments(problem_.work.statistics.at(problem_.input).second_moment, scaled);
    rotation.rotation_of_block = problem_.learned_rotation_of_block;
    return LearnRotations(rotation, initial, learning, cancellation_);
  }

  const BasisProblem& problem_;
  const TransformScore& score_;
  const HeroQOptions& options_;
  const Cancellation& cancellation_;
};

}  // namespace

absl::StatusOr<InputTransform> SearchBasis(const BasisProblem& problem, const TransformScore& score,
                                           const HeroQOptions& options, const Cancellation& cancellation,
                                           TransformOutcome& outcome) {
  return BasisSearch(problem, score, options, cancellation).Run(outcome);
}

void LeaveUntransformed(TransformOutcome& outcome) {
  outcome.loss = outcome.untransformed_loss;
  outcome.rotation = NameOf(Rotation::kNone);
  outcome.rotation_size = 0;
  outcome.alpha = 0;
}

RotationOptions LearningOf(const HeroQOptions& options) {
  RotationOptions learning = options.learning;
  if (!std::holds_alternative<GptqOptions>(options.base)) learning.metric = ErrorMetric::kOutput;
  return learning;
}

TransformScore::Quantizer ScorerOf(const HeroQOptions& options) {
  if (const auto* gptq = std::get_if<GptqOptions>(&options.base)) return *gptq;
  if (const auto* rtn = std::get_if<RtnOptions>(&options.base)) return *rtn;
  return RtnOptions{std::get<AwqOptions>(options.base).scale_search};
}

}  // namespace heroq
