#include "worker/methods/arhq_method.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/forward/activation_quantizer.h"
#include "worker/transform/low_rank.h"

namespace heroq {
namespace {

std::unique_ptr<Method> MakeBase(const std::variant<GptqOptions, RtnOptions>& base) {
  if (const auto* gptq = std::get_if<GptqOptions>(&base)) return std::make_unique<GptqMethod>(*gptq);
  return std::make_unique<RtnMethod>(std::get<RtnOptions>(base));
}

}  // namespace

ArhqMethod::ArhqMethod(ArhqOptions options) : options_(std::move(options)), base_(MakeBase(options_.base)) {}

absl::StatusOr<at::Tensor> ArhqMethod::ResidualMoment(const UnitWork& work, const LinearWork& linear) const {
  const auto statistics = work.statistics.find(linear.input);
  if (!linear.scheme.quantizes_activations() || statistics == work.statistics.end() ||
      statistics->second.kept == nullptr) {
    return MakeError(Reason::kCalibrationRequired,
                     absl::StrCat(linear.name, ": no residuals of its input ", ToString(linear.input),
                                  ": its activations are not quantized, or none were kept"));
  }
  const KeptActivations& kept = *statistics->second.kept;
  switch (options_.format) {
    case ArhqOptions::Format::kInt8:
      return kept.Moments(8).residual;
    case ArhqOptions::Format::kInt4:
      return kept.Moments(4).residual;
    case ArhqOptions::Format::kNvfp4:
      return MeasureActivations(kept.rows(), QuantizeActivationsNvfp4(kept.rows())).residual;
    case ArhqOptions::Format::kScheme:
      break;
  }
  return kept.Moments(linear.scheme.activation_bits).residual;
}

absl::Status ArhqMethod::Split(const at::Tensor& moment, c10::ScalarType stored_type,
                               const Cancellation& cancellation, LinearWork& linear) const {
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor directions,
                         LeadingDirections(linear.weight, moment, options_.rank, cancellation));
  const auto stored = [&](const at::Tensor& part) {
    return part.to(stored_type).to(at::kFloat).contiguous();
  };
  const at::Tensor weight = linear.weight.to(at::kCPU, at::kDouble);
  linear.branch = {stored(directions), stored(at::mm(directions.t(), weight))};
  const at::Tensor rest =
      weight - at::mm(linear.branch.up.to(at::kDouble), linear.branch.down.to(at::kDouble));
  linear.weight = rest.to(linear.weight.device(), at::kFloat);
  return absl::OkStatus();
}

absl::StatusOr<QuantizedUnit> ArhqMethod::Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                   const Progress& progress) const {
  return CatchTorch("arhq", [&]() -> absl::StatusOr<QuantizedUnit> {
    UnitWork rest = work;
    std::map<LinearInput, at::Tensor> moments;
    for (LinearWork& linear : rest.linears) {
      if (options_.branch == ArhqOptions::Branch::kNone) break;
      HEROQ_RETURN_IF_ERROR(cancellation.Check());
      if (progress) progress(absl::StrCat(linear.name, ": branch"), 0);
      at::Tensor moment;
      if (options_.branch == ArhqOptions::Branch::kResidual) {
        const auto [known, added] = moments.try_emplace(linear.input);
        if (added) {
          HEROQ_ASSIGN_OR_RETURN(known->second, ResidualMoment(work, linear));
        }
        moment = known->second;
      }
      HEROQ_RETURN_IF_ERROR(Split(moment, work.stored_type, cancellation, linear));
    }
    HEROQ_ASSIGN_OR_RETURN(QuantizedUnit unit, base_->Quantize(rest, cancellation, progress));
    unit.transformed = std::move(rest);
    return unit;
  });
}

}  // namespace heroq
