#include "worker/calibration/moment_tap.h"

#include <ATen/ops/isfinite.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "worker/device/finite_check.h"
#include "worker/forward/sum_of_squares.h"

namespace heroq {

absl::Status MomentTap::Observe(LinearInput input, const at::Tensor& rows) {
  SecondMoment& moment = moments_[input];
  moment.Add(rows);
  if (kept_tokens_ > 0) samples_.try_emplace(input, kept_tokens_, total_tokens_).first->second.Add(rows);
  // The diagonal shows what is wrong with the rows at the cost of one value per feature.
  if (moment.finite()) return absl::OkStatus();
  absl::Status status = CheckFinite(rows, absl::StrCat("input ", ToString(input)));
  if (!status.ok()) return status;
  return MakeError(
      Reason::kNumericalFailure,
      absl::StrCat("input ", ToString(input), ": the sum of squares leaves the range of float32"));
}

void MomentTap::ObserveOutput(LinearInput input, LinearRole role, const at::Tensor& values) {
  if (const std::optional<double> energy = SumOfSquares(values)) energies_[input][role] += *energy;
}

std::map<LinearInput, PackedStatistics> MomentTap::TakePacked() {
  std::map<LinearInput, PackedStatistics> statistics;
  for (auto& [input, moment] : moments_) {
    if (moment.token_count() > 0) statistics[input] = moment.TakePacked();
  }
  for (const auto& [input, sample] : samples_) statistics[input].activations = sample.Rows();
  samples_.clear();
  for (auto& [input, energies] : energies_) statistics[input].output_energies = std::move(energies);
  energies_.clear();
  return statistics;
}

absl::Status CheckFinite(const at::Tensor& values, absl::string_view what) {
  const bool in_memory = values.is_cpu() && values.is_contiguous();
  const int64_t bad =
      in_memory ? CountNonFinite(values) : values.numel() - at::isfinite(values).sum().item<int64_t>();
  if (bad == 0) return absl::OkStatus();
  return MakeError(Reason::kNumericalFailure,
                   absl::StrCat(what, ": ", bad, " of ", values.numel(), " values are NaN or Inf"));
}

}  // namespace heroq
