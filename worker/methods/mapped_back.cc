#include "worker/methods/mapped_back.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>

#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/methods/basis_search.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/online_folding.h"
#include "worker/methods/transform_score.h"
#include "worker/transform/conditioning.h"
#include "worker/transform/exact_search.h"
#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

using Rotation = HeroQOptions::Rotation;

// The purpose of a RandomStream.
constexpr uint64_t kDenseSigns = 5;

struct Choice {
  InputTransform transform;
  TransformOutcome outcome;
};

// One linear on its own, with the statistics of its input.
UnitWork Alone(const UnitWork& work, const LinearWork& linear) {
  UnitWork alone;
  alone.linears.push_back(linear);
  alone.linears.front().weight = linear.weight.to(at::kFloat);
  alone.statistics[linear.input] = work.statistics.at(linear.input);
  return alone;
}

class LinearSearch {
 public:
  LinearSearch(const UnitWork& alone, const HeroQOptions& options, const Cancellation& cancellation)
      : linear_(alone.linears.front()),
        moments_(alone.statistics.begin()->second.second_moment),
        options_(options),
        alone_(alone),
        cancellation_(cancellation),
        score_(alone, linear_.input, options.alphas.rows, ScorerOf(options), cancellation) {}

  absl::StatusOr<Choice> Run() const {
    Choice choice;
    choice.outcome.input = linear_.input;
    HEROQ_ASSIGN_OR_RETURN(choice.outcome.untransformed_loss, score_(InputTransform()));
    HEROQ_RETURN_IF_ERROR(options_.exact ? Exact(choice) : WithBlocks(choice));
    if (choice.outcome.loss < choice.outcome.untransformed_loss) return choice;
    choice.transform = InputTransform();
    LeaveUntransformed(choice.outcome);
    return choice;
  }

 private:
  absl::Status WithBlocks(Choice& choice) const {
    const int64_t width = linear_.weight.size(1);
    InputTransform start;
    if (options_.rotation != Rotation::kNone) {
      const bool random = options_.rotation == Rotation::kRandom;
      start = StartOnline(random ? OnlineStart::kRandom : OnlineStart::kHadamard, linear_.input, width,
                          {1, 1}, options_.seed);
    }
    std::vector<int64_t> own_rotation(start.rotation_of_block.size());
    std::iota(own_rotation.begin(), own_rotation.end(), 0);
    const BasisProblem problem{alone_, linear_.input, std::move(start), score_.diagonal(), own_rotation};
    HEROQ_ASSIGN_OR_RETURN(choice.transform,
                           SearchBasis(problem, score_, options_, cancellation_, choice.outcome));
    return absl::OkStatus();
  }

  absl::Status Exact(Choice& choice) const {
    const int64_t width = linear_.weight.size(1);
    const at::Tensor signs = RandomSigns(
        RandomStream(options_.seed, kDenseSigns, static_cast<uint64_t>(linear_.input)), width, at::kFloat);
    const at::Tensor initial = MultiplyHadamard(at::diag(signs), HadamardSize(width, width));
    std::vector<AlphaCandidate> candidates;
    for (const double alpha : options_.alphas.alphas) {
      candidates.push_back({alpha, ConditioningScale(score_.diagonal(), alpha)});
    }
    const double energy = linear_.weight.mm(moments_).mul_(linear_.weight).sum(at::kDouble).item<double>();
    const auto loss = [&](const at::Tensor& weight, const at::Tensor& moments) -> absl::StatusOr<double> {
      UnitWork work;
      work.linears.push_back(linear_);
      work.linears.front().weight = weight;
      work.statistics[linear_.input] = {moments, 1};
      const TransformScore score(work, linear_.input, weight.size(0), ScorerOf(options_), cancellation_);
      HEROQ_ASSIGN_OR_RETURN(const double relative, score(InputTransform()));
      return relative * energy;
    };
    HEROQ_ASSIGN_OR_RETURN(ExactSearchResult result,
                           ExactSearch(linear_.weight, moments_, linear_.scheme, initial, candidates,
                                       LearningOf(options_), loss, cancellation_));
    TransformOutcome& outcome = choice.outcome;
    for (const AlphaOutcome& entry : result.curve) {
      outcome.curve.push_back({entry.alpha, entry.loss, linear_.weight.size(0)});
    }
    AlphaOutcome& best = result.curve[result.best];
    outcome.alpha = best.alpha;
    outcome.loss = best.loss;
    outcome.hadamard_loss = best.unlearned_loss;
    outcome.rotation = best.learned.best_step > 0 ? "learned" : "hadamard";
    outcome.rotation_size = width;
    outcome.rotation_steps = static_cast<int>(best.learned.losses.size()) - 1;
    outcome.rotation_note = best.learned.reason;
    choice.transform.scale = candidates[result.best].scale;
    choice.transform.rotation = best.learned.rotations;
    choice.transform.rotation_of_block = {0};
    return absl::OkStatus();
  }

  const LinearWork& linear_;
  const at::Tensor moments_;
  const HeroQOptions& options_;
  const UnitWork& alone_;
  const Cancellation& cancellation_;
  const TransformScore score_;
};

}  // namespace

absl::StatusOr<QuantizedUnit> QuantizeMappedBack(const UnitWork& work, const HeroQOptions& options,
                                                 const Method& base, const Cancellation& cancellation,
                                                 const Method::Progress& progress) {
  QuantizedUnit unit;
  for (const LinearWork& linear : work.linears) {
    HEROQ_RETURN_IF_ERROR(cancellation.Check());
    HEROQ_RETURN_IF_ERROR(FindStatistics(work, linear).status());
    if (progress) {
      progress(absl::StrCat(linear.name, ": alpha"),
               static_cast<double>(unit.dense.size()) / static_cast<double>(work.linears.size()));
    }
    UnitWork alone = Alone(work, linear);
    HEROQ_ASSIGN_OR_RETURN(Choice choice, LinearSearch(alone, options, cancellation).Run());
    LinearWork& transformed = alone.linears.front();
    transformed.weight = TransformWeight(transformed.weight, choice.transform);
    at::Tensor& moments = alone.statistics.begin()->second.second_moment;
    moments = TransformMoments(moments, choice.transform);
    HEROQ_ASSIGN_OR_RETURN(const QuantizedUnit quantized, base.Quantize(alone, cancellation, {}));
    std::vector<float> values = Dequantize(quantized.linears.front());
    const at::Tensor weight = at::from_blob(values.data(), linear.weight.sizes(), at::kFloat);
    unit.dense.push_back(RestoreWeight(weight, choice.transform).clone());
    unit.outcomes.push_back(quantized.outcomes.front());
    unit.transforms.push_back(std::move(choice.outcome));
  }
  return unit;
}

}  // namespace heroq
