#include "worker/agent/linear_reporter.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/status/status_macros.h"
#include "worker/agent/signal_report.h"
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
    const double total = energy.Of(weight, out_features);
    const double lost = energy.Of(error, out_features);
    const std::optional<double> relative = Relative(lost, total);
    if (relative.has_value()) report.set_relative_error(*relative);
    if (outcome.solver_loss.has_value()) {
      const std::optional<double> loss = Relative(*outcome.solver_loss, total);
      if (loss.has_value()) report.set_solver_loss(*loss);
    }
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
