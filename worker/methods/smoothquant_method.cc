#include "worker/methods/smoothquant_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/maximum.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/transform_score.h"
#include "worker/methods/unit_folding.h"
#include "worker/transform/smoothing.h"

namespace heroq {
namespace {

// Rows of the linears of one input that its loss is measured on, for the report.
constexpr int64_t kReportedRows = 128;

std::unique_ptr<Method> MakeBase(const std::variant<GptqOptions, RtnOptions>& base) {
  if (const auto* gptq = std::get_if<GptqOptions>(&base)) return std::make_unique<GptqMethod>(*gptq);
  return std::make_unique<RtnMethod>(std::get<RtnOptions>(base));
}

// max over the rows of |values|: [columns] float32.
at::Tensor LargestOfColumns(const at::Tensor& values) { return at::amax(at::abs(values.to(at::kFloat)), 0); }

}  // namespace

SmoothQuantMethod::SmoothQuantMethod(SmoothQuantOptions options)
    : options_(std::move(options)), base_(MakeBase(options_.base)) {}

absl::Status SmoothQuantMethod::Smooth(LinearInput input, const Cancellation& cancellation, UnitWork& work,
                                       TransformOutcome& outcome) const {
  const std::vector<DenseLinear*> readers = ReadersOf(work, input);
  const auto statistics = work.statistics.find(input);
  if (statistics == work.statistics.end() || statistics->second.kept == nullptr) {
    return MakeError(Reason::kCalibrationRequired,
                     absl::StrCat(readers.front()->name, ": no activations of its input ", ToString(input),
                                  " were kept, whose range smoothquant needs"));
  }
  at::Tensor activations = LargestOfColumns(statistics->second.kept->rows());
  at::Tensor weights = LargestOfColumns(readers.front()->weight);
  for (const DenseLinear* reader : readers) {
    weights = at::maximum(weights, LargestOfColumns(reader->weight));
  }
  if (input == LinearInput::kAttentionOut) {
    activations = LargestOverQueryHeads(activations, work.geometry.heads, work.geometry.value_heads);
    weights = LargestOverQueryHeads(weights, work.geometry.heads, work.geometry.value_heads);
  }
  InputTransform transform;
  transform.scale = SmoothingScale(activations, weights.to(activations.device()), options_.strength);
  const TransformScore score(work, input, kReportedRows, options_.base, cancellation);
  outcome.input = input;
  outcome.alpha = options_.strength;
  outcome.rotation = "none";
  HEROQ_ASSIGN_OR_RETURN(outcome.loss, score(transform));
  HEROQ_ASSIGN_OR_RETURN(outcome.untransformed_loss, score(InputTransform()));
  outcome.curve = {{options_.strength, outcome.loss, score.rows()}};
  return FoldTransform(input, std::move(transform), work);
}

absl::StatusOr<QuantizedUnit> SmoothQuantMethod::Quantize(const UnitWork& work,
                                                          const Cancellation& cancellation,
                                                          const Progress& progress) const {
  return CatchTorch("smoothquant", [&]() -> absl::StatusOr<QuantizedUnit> {
    UnitWork smoothed = work;
    std::vector<TransformOutcome> outcomes;
    // What reads an output first: scaling it changes what gives it, which is scaled in turn as it is then.
    for (const LinearInput input :
         {LinearInput::kAttentionOut, LinearInput::kMlpOut, LinearInput::kAttentionIn, LinearInput::kMlpIn}) {
      const auto reader = std::find_if(smoothed.linears.begin(), smoothed.linears.end(),
                                       [&](const LinearWork& linear) { return linear.input == input; });
      if (reader == smoothed.linears.end()) continue;
      HEROQ_RETURN_IF_ERROR(cancellation.Check());
      if (progress) progress(absl::StrCat(reader->name, ": smoothing"), 0);
      HEROQ_RETURN_IF_ERROR(Smooth(input, cancellation, smoothed, outcomes.emplace_back()));
    }
    HEROQ_ASSIGN_OR_RETURN(QuantizedUnit unit, base_->Quantize(smoothed, cancellation, progress));
    unit.transformed = std::move(smoothed);
    unit.transforms = std::move(outcomes);
    return unit;
  });
}

}  // namespace heroq
