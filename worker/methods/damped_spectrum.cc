#include "worker/methods/damped_spectrum.h"

#include <ATen/TensorOperators.h>

#include <utility>

#include "common/status/status_macros.h"
#include "worker/methods/host_matrix.h"

namespace heroq {
namespace {

constexpr double kDamping = 0.01;

}  // namespace

absl::StatusOr<DampedSpectrum> ComputeDampedSpectrum(const LayerStatistics& statistics,
                                                     const Cancellation& cancellation) {
  DampedSpectrum damped;
  damped.token_count = statistics.token_count;
  const at::Tensor moments =
      HostMatrix(statistics.second_moment) / static_cast<double>(statistics.token_count);
  damped.shift = kDamping * moments.diagonal().mean(at::kDouble).item<double>();
  HEROQ_ASSIGN_OR_RETURN(damped.spectrum, ComputeSpectrum(moments, damped.shift, {}, cancellation));
  return damped;
}

SpectralEvidence EvidenceOf(const DampedSpectrum& spectrum, const at::Tensor& error, double output_error,
                            int64_t rows_total) {
  const double norm = error.square().sum(at::kDouble).item<double>();
  const double energy = output_error / static_cast<double>(spectrum.token_count) + spectrum.shift * norm;
  SpectralEvidence evidence = MeasureEvidence(spectrum.spectrum, error, energy);
  const double scale = static_cast<double>(rows_total) / static_cast<double>(error.size(0));
  evidence.error_energy *= scale;
  evidence.error_norm *= scale;
  return evidence;
}

}  // namespace heroq
