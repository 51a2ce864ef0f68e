#include "worker/methods/hero_q_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/awq_method.h"
#include "worker/methods/damped_spectrum.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/mapped_back.h"
#include "worker/methods/online_folding.h"
#include "worker/methods/unit_folding.h"
#include "worker/transform/conditioning.h"
#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

// The purpose of a RandomStream.
constexpr uint64_t kHeadRotation = 2;

struct BaseMaker {
  std::unique_ptr<Method> operator()(const GptqOptions& options) const {
    return std::make_unique<GptqMethod>(options);
  }
  std::unique_ptr<Method> operator()(const RtnOptions& options) const {
    return std::make_unique<RtnMethod>(options);
  }
  std::unique_ptr<Method> operator()(const AwqOptions& options) const { return MakeAwqMethod(options); }
};

std::unique_ptr<Method> MakeScorer(const HeroQOptions& options) {
  // AWQ needs whole units; the linears of one input are rounded as it rounds them.
  const auto* awq = std::get_if<AwqOptions>(&options.base);
  return awq == nullptr ? std::visit(BaseMaker{}, options.base) : BaseMaker{}(RtnOptions{awq->scale_search});
}

// What each linear would have lost in the basis it came in, by name.
using EvidenceBefore = std::map<std::string, SpectralEvidence>;

// Searches and folds the transforms of one unit.
class UnitConditioner {
 public:
  UnitConditioner(const HeroQOptions& options, const Method& scorer, const Cancellation& cancellation,
                  const Method::Progress& progress)
      : options_(options), scorer_(scorer), cancellation_(cancellation), progress_(progress) {}

  absl::Status Run(UnitWork& work, std::vector<TransformOutcome>& outcomes, EvidenceBefore& before) const {
    // What reads an output first: a transform of the attention output changes the value projection, which is
    // then quantized as it is now.
    for (const LinearInput input :
         {LinearInput::kAttentionOut, LinearInput::kMlpOut, LinearInput::kAttentionIn, LinearInput::kMlpIn}) {
      const LinearWork* reader = FirstReader(work, input);
      if (reader == nullptr) continue;
      HEROQ_RETURN_IF_ERROR(cancellation_.Check());
      HEROQ_RETURN_IF_ERROR(FindStatistics(work, *reader).status());
      if (options_.placement == HeroQOptions::Placement::kFused && IsAfterNorm(input)) continue;
      if (progress_) progress_(absl::StrCat(reader->name, ": alpha"), 0);
      HEROQ_RETURN_IF_ERROR(Condition(input, work, outcomes.emplace_back(), before));
    }
    return absl::OkStatus();
  }

 private:
  static bool IsAfterNorm(LinearInput input) {
    return input == LinearInput::kAttentionIn || input == LinearInput::kMlpIn;
  }

  static const LinearWork* FirstReader(const UnitWork& work, LinearInput input) {
    for (const LinearWork& linear : work.linears) {
      if (linear.input == input) return &linear;
    }
    return nullptr;
  }

  absl::Status Condition(LinearInput input, UnitWork& work, TransformOutcome& outcome,
                         EvidenceBefore& before) const {
    const TransformScore score(work, input, options_.score_rows, scorer_, cancellation_);
    const at::Tensor diagonal =
        input == LinearInput::kAttentionOut
            ? ShareOverQueryHeads(score.diagonal(), work.geometry.heads, work.geometry.value_heads)
            : score.diagonal();
    InputTransform best = RotationOf(input, work, diagonal.numel());
    const auto with_alpha = [&](double alpha) {
      InputTransform candidate = best;
      if (alpha == 0) return candidate;
      const at::Tensor scale = ConditioningScale(diagonal, alpha);
      candidate.scale = best.scale.defined() ? best.scale * scale : scale;
      return candidate;
    };
    HEROQ_ASSIGN_OR_RETURN(const AlphaChoice choice, SearchAlpha(options_.alphas, [&](double alpha) {
                             return score(with_alpha(alpha));
                           }));
    best = with_alpha(choice.alpha);
    outcome.input = input;
    outcome.curve = choice.curve;
    outcome.rotation = best.rotation.defined() ? NameOf(options_.rotation) : "none";
    outcome.rotation_size = best.rotation.defined() ? best.rotation.size(-1) : 0;
    outcome.alpha = choice.alpha;
    outcome.loss = choice.score;
    HEROQ_ASSIGN_OR_RETURN(const std::vector<TransformScore::RowErrors> untransformed,
                           score.Errors(InputTransform()));
    outcome.untransformed_loss = TransformScore::Relative(untransformed);
    if (best.rotation.defined() && options_.rotation == HeroQOptions::Rotation::kLearned) {
      HEROQ_RETURN_IF_ERROR(Learn(input, work, score, best, outcome));
    }
    const bool online = options_.placement == HeroQOptions::Placement::kOnline && best.rotation.defined();
    if (outcome.loss < outcome.untransformed_loss) {
      HEROQ_RETURN_IF_ERROR(RecordEvidence(input, work, untransformed, before));
      return online ? FoldOnline(input, std::move(best), work) : FoldTransform(input, std::move(best), work);
    }
    if (online) KeepOnline(input, best.rotation.size(-1), work);
    outcome.loss = outcome.untransformed_loss;
    outcome.rotation = "none";
    outcome.rotation_size = 0;
    outcome.alpha = 0;
    return absl::OkStatus();
  }

  absl::Status RecordEvidence(LinearInput input, const UnitWork& work,
                              const std::vector<TransformScore::RowErrors>& errors,
                              EvidenceBefore& before) const {
    HEROQ_ASSIGN_OR_RETURN(const DampedSpectrum spectrum,
                           ComputeDampedSpectrum(work.statistics.at(input), cancellation_));
    for (const TransformScore::RowErrors& rows : errors) {
      const auto linear = std::find_if(work.linears.begin(), work.linears.end(),
                                       [&](const LinearWork& other) { return other.name == rows.name; });
      before[rows.name] = EvidenceOf(spectrum, rows.error, rows.output_error, linear->weight.size(0));
    }
    return absl::OkStatus();
  }

  // Learns rotations from the one in `best`, and takes them where they score better: one per value head and
  // block, or the one of all blocks that a loader can apply.
  absl::Status Learn(LinearInput input, const UnitWork& work, const TransformScore& score,
                     InputTransform& best, TransformOutcome& outcome) const {
    InputTransform scaled = best;
    scaled.rotation = at::Tensor();
    RotationProblem problem;
    std::vector<at::Tensor> weights;
    for (const LinearWork& linear : work.linears) {
      if (linear.input != input) continue;
      weights.push_back(TransformWeight(linear.weight.to(at::kFloat), scaled));
      problem.scheme = linear.scheme;
    }
    problem.weight = at::cat(weights);
    problem.second_moment = TransformMoments(work.statistics.at(input).second_moment, scaled);
    const int64_t size = best.rotation.size(-1);
    at::Tensor initial = best.rotation;
    if (options_.placement == HeroQOptions::Placement::kOnline) {
      problem.rotation_of_block = best.rotation_of_block;
    } else {
      const auto blocks = static_cast<int64_t>(best.rotation_of_block.size());
      const int64_t per_head = blocks / work.geometry.heads;
      const int64_t group = work.geometry.heads / work.geometry.value_heads;
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t value_head = block / per_head / group;
        problem.rotation_of_block.push_back(value_head * per_head + block % per_head);
      }
      initial = initial.expand({work.geometry.value_heads * per_head, size, size}).contiguous();
    }
    RotationOptions learning = options_.learning;
    if (!std::holds_alternative<GptqOptions>(options_.base)) learning.metric = ErrorMetric::kOutput;
    HEROQ_ASSIGN_OR_RETURN(const LearnedRotation learned,
                           LearnRotations(problem, initial, learning, cancellation_));
    InputTransform candidate = best;
    candidate.rotation = learned.rotations;
    candidate.rotation_of_block = problem.rotation_of_block;
    HEROQ_ASSIGN_OR_RETURN(const double loss, score(candidate));
    outcome.hadamard_loss = outcome.loss;
    outcome.rotation_steps = static_cast<int>(learned.losses.size()) - 1;
    outcome.rotation_note = learned.reason;
    if (loss < outcome.loss) {
      outcome.loss = loss;
      best = std::move(candidate);
    } else {
      outcome.rotation = NameOf(HeroQOptions::Rotation::kHadamard);
    }
    return absl::OkStatus();
  }

  static std::string NameOf(HeroQOptions::Rotation rotation) {
    switch (rotation) {
      case HeroQOptions::Rotation::kNone:
        return "none";
      case HeroQOptions::Rotation::kHadamard:
        return "hadamard";
      case HeroQOptions::Rotation::kRandom:
        return "random";
      case HeroQOptions::Rotation::kLearned:
        return "learned";
    }
    return "";
  }

  // R, the same for every value head, or for every block of an input that loaders rotate; Hadamard in blocks
  // of the largest power of two that divides one.
  InputTransform RotationOf(LinearInput input, const UnitWork& work, int64_t width) const {
    InputTransform transform;
    if (options_.rotation == HeroQOptions::Rotation::kNone) return transform;
    if (options_.placement == HeroQOptions::Placement::kOnline) {
      const OnlineStart start = options_.rotation == HeroQOptions::Rotation::kRandom ? OnlineStart::kRandom
                                                                                     : OnlineStart::kHadamard;
      return StartOnline(start, input, width, work.geometry, options_.seed);
    }
    if (input != LinearInput::kAttentionOut) return transform;
    const int64_t head_dim = width / work.geometry.heads;
    const RandomStream stream(options_.seed, kHeadRotation);
    at::Tensor rotation;
    if (options_.rotation == HeroQOptions::Rotation::kRandom) {
      rotation = RandomOrthogonal(stream, head_dim);
    } else {
      const int64_t size = HadamardSize(head_dim, head_dim);
      rotation = RandomSigns(stream, size, at::kDouble).unsqueeze(1) * HadamardMatrix(size, at::kDouble);
    }
    transform.rotation = rotation.to(at::kFloat).unsqueeze(0);
    transform.rotation_of_block.assign(static_cast<size_t>(width / rotation.size(0)), 0);
    return transform;
  }

  const HeroQOptions& options_;
  const Method& scorer_;
  const Cancellation& cancellation_;
  const Method::Progress& progress_;
};

}  // namespace

HeroQMethod::HeroQMethod(HeroQOptions options)
    : options_(std::move(options)),
      base_(std::visit(BaseMaker{}, options_.base)),
      scorer_(MakeScorer(options_)) {}

absl::StatusOr<QuantizedUnit> HeroQMethod::Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                    const Progress& progress) const {
  return CatchTorch("hero-q", [&]() -> absl::StatusOr<QuantizedUnit> {
    if (options_.placement == HeroQOptions::Placement::kMappedBack) {
      return QuantizeMappedBack(work, options_, *base_, cancellation, progress);
    }
    UnitWork transformed = work;
    std::vector<TransformOutcome> outcomes;
    EvidenceBefore before;
    HEROQ_RETURN_IF_ERROR(
        UnitConditioner(options_, *scorer_, cancellation, progress).Run(transformed, outcomes, before));
    HEROQ_ASSIGN_OR_RETURN(QuantizedUnit unit, base_->Quantize(transformed, cancellation, progress));
    for (size_t i = 0; i < unit.outcomes.size(); ++i) {
      const auto found = before.find(transformed.linears[i].name);
      if (found != before.end()) unit.outcomes[i].evidence_before = found->second;
    }
    // A base may have changed the unit further.
    if (!unit.transformed.has_value()) unit.transformed = std::move(transformed);
    unit.transforms.insert(unit.transforms.begin(), outcomes.begin(), outcomes.end());
    return unit;
  });
}

}  // namespace heroq
