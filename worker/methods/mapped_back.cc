#include "worker/methods/mapped_back.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/online_folding.h"
#include "worker/methods/transform_search.h"
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
  LinearSearch(const UnitWork& alone, const HeroQOptions& options, const Method& base,
               const Cancellation& cancellation)
      : linear_(alone.linears.front()),
        moments_(alone.statistics.begin()->second.second_moment),
        options_(options),
        base_(base),
        cancellation_(cancellation),
        score_(alone, linear_.input, options.score_rows, base, cancellation) {}

  absl::StatusOr<Choice> Run() const {
    Choice choice;
    choice.outcome.input = linear_.input;
    HEROQ_ASSIGN_OR_RETURN(choice.outcome.untransformed_loss, score_(InputTransform()));
    HEROQ_RETURN_IF_ERROR(options_.exact ? Exact(choice) : WithBlocks(choice));
    if (choice.outcome.loss < choice.outcome.untransformed_loss) return choice;
    choice.transform = InputTransform();
    choice.outcome.loss = choice.outcome.untransformed_loss;
    choice.outcome.rotation = "none";
    choice.outcome.rotation_size = 0;
    choice.outcome.alpha = 0;
    return choice;
  }

 private:
  absl::Status WithBlocks(Choice& choice) const {
    const int64_t width = linear_.weight.size(1);
    InputTransform best;
    if (options_.rotation != Rotation::kNone) {
      const bool random = options_.rotation == Rotation::kRandom;
      best = StartOnline(random ? OnlineStart::kRandom : OnlineStart::kHadamard, linear_.input, width, {1, 1},
                         options_.seed);
    }
    const auto with_alpha = [&](double alpha) {
      InputTransform candidate = best;
      const at::Tensor scale = ConditioningScale(score_.diagonal(), alpha);
      candidate.scale = best.scale.defined() ? best.scale * scale : scale;
      return candidate;
    };
    HEROQ_ASSIGN_OR_RETURN(const AlphaChoice found, SearchAlpha(options_.alphas, [&](double alpha) {
                             return score_(with_alpha(alpha));
                           }));
    best = with_alpha(found.alpha);
    TransformOutcome& outcome = choice.outcome;
    outcome.curve = found.curve;
    outcome.alpha = found.alpha;
    outcome.loss = found.score;
    outcome.rotation = options_.rotation == Rotation::kNone     ? "none"
                       : options_.rotation == Rotation::kRandom ? "random"
                                                                : "hadamard";
    outcome.rotation_size = best.rotation.defined() ? best.rotation.size(-1) : 0;
    if (options_.rotation == Rotation::kLearned) HEROQ_RETURN_IF_ERROR(Learn(best, outcome));
    choice.transform = std::move(best);
    return absl::OkStatus();
  }

  absl::Status Learn(InputTransform& best, TransformOutcome& outcome) const {
    InputTransform scaled;
    scaled.scale = best.scale;
    RotationProblem problem;
    problem.weight = TransformWeight(linear_.weight, scaled);
    problem.second_moment = TransformMoments(moments_, scaled);
    problem.scheme = linear_.scheme;
    const auto blocks = static_cast<int64_t>(best.rotation_of_block.size());
    for (int64_t block = 0; block < blocks; ++block) problem.rotation_of_block.push_back(block);
    const int64_t size = best.rotation.size(-1);
    HEROQ_ASSIGN_OR_RETURN(const LearnedRotation learned,
                           LearnRotations(problem, best.rotation.expand({blocks, size, size}).contiguous(),
                                          Learning(), cancellation_));
    InputTransform candidate = best;
    candidate.rotation = learned.rotations;
    candidate.rotation_of_block = problem.rotation_of_block;
    HEROQ_ASSIGN_OR_RETURN(const double loss, score_(candidate));
    outcome.hadamard_loss = outcome.loss;
    outcome.rotation_steps = static_cast<int>(learned.losses.size()) - 1;
    outcome.rotation_note = learned.reason;
    if (loss >= outcome.loss) return absl::OkStatus();
    outcome.loss = loss;
    outcome.rotation = "learned";
    best = std::move(candidate);
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
      const TransformScore score(work, linear_.input, weight.size(0), base_, cancellation_);
      HEROQ_ASSIGN_OR_RETURN(const double relative, score(InputTransform()));
      return relative * energy;
    };
    HEROQ_ASSIGN_OR_RETURN(ExactSearchResult result,
                           ExactSearch(linear_.weight, moments_, linear_.scheme, initial, candidates,
                                       Learning(), loss, cancellation_));
    TransformOutcome& outcome = choice.outcome;
    for (const AlphaOutcome& entry : result.curve) outcome.curve.emplace_back(entry.alpha, entry.loss);
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

  RotationOptions Learning() const {
    RotationOptions learning = options_.learning;
    if (!std::holds_alternative<GptqOptions>(options_.base)) learning.metric = ErrorMetric::kOutput;
    return learning;
  }

  const LinearWork& linear_;
  const at::Tensor moments_;
  const HeroQOptions& options_;
  const Method& base_;
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
    HEROQ_ASSIGN_OR_RETURN(Choice choice, LinearSearch(alone, options, base, cancellation).Run());
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
