#include "worker/transform/spectral_evidence.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>

#include "worker/device/thread_settings.h"

namespace heroq {

SpectralEvidence MeasureEvidence(const Spectrum& spectrum, const at::Tensor& error, double error_energy) {
  const OneThreadScope one_thread;
  SpectralEvidence evidence;
  const double* values = spectrum.eigenvalues.const_data_ptr<double>();
  evidence.eigenvalues.assign(values, values + spectrum.eigenvalues.numel());
  evidence.largest_eigenvalue = spectrum.largest();
  evidence.smallest_eigenvalue = spectrum.smallest;
  evidence.condition_number = spectrum.condition_number();
  evidence.error_energy = error_energy;
  const at::Tensor row_norms = at::linalg_vector_norm(error, 2, {1});
  evidence.error_norm = row_norms.square().sum(at::kDouble).item<double>();

  // ||E v||^2 per eigenvector v.
  const at::Tensor along =
      error.mm(spectrum.eigenvectors.t()).square_().sum({0}, false, at::kDouble).to(at::kCPU);
  if (evidence.error_norm > 0) evidence.norm_share = along.sum().item<double>() / evidence.error_norm;
  if (error_energy > 0) evidence.energy_share = along.dot(spectrum.eigenvalues).item<double>() / error_energy;
  return evidence;
}

}  // namespace heroq
