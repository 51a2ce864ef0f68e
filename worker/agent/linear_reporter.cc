#include "worker/agent/linear_reporter.h"

#include <ATen/ops/from_blob.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/casts.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/status/status_macros.h"
#include "worker/agent/signal_report.h"
#include "worker/calibration/gram_kernel.h"
#include "worker/methods/host_matrix.h"
#include "worker/methods/input_statistics.h"

namespace heroq {
namespace {

// In several sums that do not wait for each other.
double SumOfSquares(absl::Span<const float> values) {
  constexpr size_t kSums = 16;
  std::array<double, kSums> sums = {};
  size_t at = 0;
  for (; at + kSums <= values.size(); at += kSums) {
    for (size_t i = 0; i < kSums; ++i) sums[i] += static_cast<double>(values[at + i]) * values[at + i];
  }
  for (; at < values.size(); ++at) sums[0] += static_cast<double>(values[at]) * values[at];
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// `weight` in bfloat16; none if it is not exact.
std::optional<std::vector<c10::BFloat16>> ExactBf16(absl::Span<const float> weight) {
  std::vector<c10::BFloat16> narrow(weight.size());
  uint32_t dropped = 0;
  for (size_t at = 0; at < weight.size(); ++at) {
    const uint32_t bits = absl::bit_cast<uint32_t>(weight[at]);
    dropped |= bits & 0xffff;
    narrow[at].x = static_cast<uint16_t>(bits >> 16);
  }
  if (dropped != 0) return std::nullopt;
  return narrow;
}

// tr(W H W^T). Weights that no transform has touched are bfloat16 as a rule: their product with themselves is
// exact and twice as fast as one of float32, and tr(W H W^T) = <W^T W, H>.
double EnergyOfWeight(const OutputEnergy& energy, absl::Span<const float> weight, int64_t rows,
                      absl::Span<const float> moments) {
  const std::optional<std::vector<c10::BFloat16>> narrow =
      HasBf16GramKernel() ? ExactBf16(weight) : std::nullopt;
  if (!narrow.has_value()) return energy.Of(weight, rows);
  const int64_t side = static_cast<int64_t>(weight.size()) / rows;
  return Bf16GramDot(narrow->data(), rows, side, moments.data());
}

// Error over energy. Nothing lost of nothing is 0; something lost of nothing has no ratio.
std::optional<double> Relative(double error, double energy) {
  if (energy > 0) return std::max(error, 0.0) / energy;
  return error > 0 ? std::nullopt : std::optional<double>(0.0);
}

void SetSpectrum(const SpectralEvidence& evidence, v1::SpectralReport& report) {
  report.mutable_eigenvalues()->Assign(evidence.eigenvalues.begin(), evidence.eigenvalues.end());
  report.set_condition_number(evidence.condition_number);
  report.set_error_energy(evidence.error_energy);
  report.set_error_norm(evidence.error_norm);
  report.set_norm_share(evidence.norm_share);
  report.set_energy_share(evidence.energy_share);
}

}  // namespace

double LinearReporter::Lost(const OutputEnergy& energy, absl::Span<const float> error, int64_t rows,
                            absl::Span<const double> row_losses, double total, v1::LinearReport& report) {
  // As many as the kernels take at once.
  constexpr int64_t kRows = 48;
  // Counted and measured sums differ by 1e-5 on models, by rounding of float32, and by more where nearly all
  // of the damped loss is the share of the damping.
  constexpr double kTolerance = 1e-3;
  constexpr double kNoRounding = 0.05;
  constexpr double kFloor = 1e-6;  // of the energy
  if (row_losses.empty() || rows <= kRows) return energy.Of(error, rows);
  const auto columns = static_cast<int64_t>(error.size()) / rows;
  std::vector<float> sample;
  double counted = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    const int64_t row = i * rows / kRows;
    const absl::Span<const float> values = error.subspan(row * columns, columns);
    sample.insert(sample.end(), values.begin(), values.end());
    counted += row_losses[row];
  }
  const double measured = energy.Of(sample, kRows);
  const double difference = std::abs(counted - measured);
  if (difference <= kTolerance * measured) return std::accumulate(row_losses.begin(), row_losses.end(), 0.0);
  if (difference > kNoRounding * measured + kFloor * total * kRows / static_cast<double>(rows)) {
    report.add_warnings(
        absl::StrCat("Stored rows lose ", measured, " where the solver counted ", counted, "."));
  }
  return energy.Of(error, rows);
}

const OutputEnergy& LinearReporter::EnergyOf(LinearInput input, const LayerStatistics& statistics) {
  const auto known = energies_.find(input);
  if (known != energies_.end()) return known->second;
  const at::Tensor moments = HostMatrix(statistics.second_moment);
  return energies_.try_emplace(input, KernelsFor(BestIsa()), Values(moments), moments.size(0)).first->second;
}

absl::StatusOr<const DampedSpectrum*> LinearReporter::SpectrumOf(LinearInput input,
                                                                 const LayerStatistics& statistics) {
  const auto known = spectra_of_.find(input);
  if (known != spectra_of_.end()) return &known->second;
  HEROQ_ASSIGN_OR_RETURN(DampedSpectrum spectrum, ComputeDampedSpectrum(statistics, cancellation_));
  return &spectra_of_.try_emplace(input, std::move(spectrum)).first->second;
}

absl::StatusOr<v1::LinearReport> LinearReporter::Report(const LinearWork& linear, std::vector<float> stored,
                                                        const LinearOutcome& outcome) {
  v1::LinearReport report;
  const int64_t out_features = linear.weight.size(0);
  const int64_t in_features = linear.weight.size(1);
  report.set_name(linear.name);
  report.set_out_features(out_features);
  report.set_in_features(in_features);
  const at::Tensor matrix = HostMatrix(linear.weight);
  const absl::Span<const float> weight = Values(matrix);
  std::vector<float>& error = stored;
  for (size_t at = 0; at < error.size(); ++at) error[at] -= weight[at];
  report.set_weight_error(Relative(SumOfSquares(error), SumOfSquares(weight)).value_or(0));

  const auto statistics = work_.statistics.find(linear.input);
  if (statistics != work_.statistics.end()) {
    const LayerStatistics met = StatisticsMet(linear, statistics->second);
    const OutputEnergy& energy = EnergyOf(linear.input, met);
    const at::Tensor moments = HostMatrix(met.second_moment);
    const auto counted = met.output_energies.find(linear.role);
    // It is counted in float32 along rows, which squares may leave where second moments do not.
    const bool known = counted != met.output_energies.end() && std::isfinite(counted->second);
    const double total =
        known ? counted->second : EnergyOfWeight(energy, weight, out_features, Values(moments));
    const double lost = Lost(energy, error, out_features, outcome.row_losses, total, report);
    const std::optional<double> relative = Relative(lost, total);
    if (relative.has_value()) report.set_relative_error(*relative);
    // Without a live input there is no curvature to speak of.
    if (spectra_ && outcome.dead_inputs < in_features) {
      HEROQ_ASSIGN_OR_RETURN(const DampedSpectrum* spectrum, SpectrumOf(linear.input, met));
      const at::Tensor matrix_error = at::from_blob(error.data(), {out_features, in_features}, at::kFloat);
      SetSpectrum(EvidenceOf(*spectrum, matrix_error, lost, out_features), *report.mutable_spectrum());
    }
  }
  if (outcome.evidence_before.has_value())
    SetSpectrum(*outcome.evidence_before, *report.mutable_spectrum_before());
  if (statistics != work_.statistics.end()) SetSignalToNoise(linear, statistics->second, error, report);
  if (outcome.damping.has_value()) report.set_damping(*outcome.damping);
  report.set_damping_raised(outcome.damping_raised);
  if (outcome.mean_shrink.has_value()) report.set_mean_shrink(*outcome.mean_shrink);
  report.set_dead_inputs(outcome.dead_inputs);
  report.set_token_count(outcome.token_count);
  for (const std::string& warning : outcome.warnings) report.add_warnings(warning);
  return report;
}

}  // namespace heroq
