#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "worker/transform/lanczos.h"

namespace heroq {

// How the error of a quantized linear meets the curvature of its loss (Theorem 3.1 of the HeRo-Q paper bounds
// the loss by lambda_max ||e||^2; what counts is the part of e along large eigenvalues).
struct SpectralEvidence {
  std::vector<double> eigenvalues;  // the largest ones, decreasing
  double largest_eigenvalue = 0;
  double smallest_eigenvalue = 0;  // an upper bound, see Spectrum::smallest
  double condition_number = 0;     // a lower bound, so
  double error_energy = 0;         // tr(E H E^T), the paper's e^T H e summed over rows
  double error_norm = 0;           // ||E||_F^2
  // Share of ||E||_F^2 in the span of the top eigenvectors; k / inputs for an error without direction.
  double norm_share = 0;
  // Share of tr(E H E^T) that these directions make.
  double energy_share = 0;
};

// Of an error `error` [out, in] in the basis of the matrix whose spectrum is given, float32 or float64 as the
// eigenvectors. `error_energy` is tr(E H E^T) with that matrix, its shift included: who quantized has counted
// it (GptqSolution::loss, OutputEnergy), and counting it again would cost as much as quantizing. Shares of a
// zero error are zero. Single-threaded, deterministic; throws c10::Error.
SpectralEvidence MeasureEvidence(const Spectrum& spectrum, const at::Tensor& error, double error_energy);

}  // namespace heroq
