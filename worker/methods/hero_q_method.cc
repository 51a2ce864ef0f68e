#include "worker/methods/hero_q_method.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/awq_method.h"
#include "worker/methods/basis_search.h"
#include "worker/methods/damped_spectrum.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/mapped_back.h"
#include "worker/methods/online_folding.h"
#include "worker/methods/transform_score.h"
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

// What each linear would have lost in the basis it came in, by name.
using EvidenceBefore = std::map<std::string, SpectralEvidence>;

// Searches and folds the transforms of one unit.
class UnitConditioner {
 public:
  UnitConditioner(const HeroQOptions& options, const Cancellation& cancellation,
                  const Method::Progress& progress)
      : options_(options), cancellation_(cancellation), progress_(progress) {}

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
    const TransformScore score(work, input, options_.alphas.rows, ScorerOf(options_), cancellation_);
    const at::Tensor diagonal =
        input == LinearInput::kAttentionOut
            ? ShareOverQueryHeads(score.diagonal(), work.geometry.heads, work.geometry.value_heads)
            : score.diagonal();
    InputTransform start = RotationOf(input, work, diagonal.numel());
    const std::vector<int64_t> learned_rotation_of_block = LearnedRotationOfBlock(start, work.geometry);
    const BasisProblem problem{work, input, std::move(start), diagonal, learned_rotation_of_block};
    outcome.input = input;
    HEROQ_ASSIGN_OR_RETURN(InputTransform best,
                           SearchBasis(problem, score, options_, cancellation_, outcome));
    HEROQ_ASSIGN_OR_RETURN(const TransformScore::Errors untransformed, score.ErrorsOf(InputTransform()));
    outcome.untransformed_loss = untransformed.loss;
    const bool online = options_.placement == HeroQOptions::Placement::kOnline && best.rotation.defined();
    if (outcome.loss < outcome.untransformed_loss) {
      HEROQ_RETURN_IF_ERROR(RecordEvidence(input, work, untransformed.linears, before));
      return online ? FoldOnline(input, std::move(best), work) : FoldTransform(input, std::move(best), work);
    }
    if (online) KeepOnline(input, best.rotation.size(-1), work);
    LeaveUntransformed(outcome);
    return absl::OkStatus();
  }

  // One rotation per value head and block of its channels, or the one of all blocks that a loader can apply.
  std::vector<int64_t> LearnedRotationOfBlock(const InputTransform& start,
                                              const HeadGeometry& geometry) const {
    if (options_.placement == HeroQOptions::Placement::kOnline) return start.rotation_of_block;
    std::vector<int64_t> rotation_of_block;
    const auto blocks = static_cast<int64_t>(start.rotation_of_block.size());
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t per_head = blocks / geometry.heads;
      const int64_t value_head = block / per_head / (geometry.heads / geometry.value_heads);
      rotation_of_block.push_back(value_head * per_head + block % per_head);
    }
    return rotation_of_block;
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
  const Cancellation& cancellation_;
  const Method::Progress& progress_;
};

}  // namespace

HeroQMethod::HeroQMethod(HeroQOptions options)
    : options_(std::move(options)), base_(std::visit(BaseMaker{}, options_.base)) {}

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
        UnitConditioner(options_, cancellation, progress).Run(transformed, outcomes, before));
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
