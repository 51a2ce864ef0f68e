#pragma once

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"

namespace heroq {

struct LanczosOptions {
  int eigenpairs = 8;
  int max_steps = 64;
  // The iteration ends when the residual ||H v - lambda v|| of every wanted pair is below this share of its
  // eigenvalue (whose own error is then of the order of the square) and the smallest Ritz value moved less
  // than 1 % in the last 16 steps.
  double tolerance = 1e-4;
};

// The ends of the spectrum of a symmetric positive semidefinite matrix.
struct Spectrum {
  at::Tensor eigenvalues;   // float64 [k] on the CPU, decreasing; k = min(eigenpairs, n)
  at::Tensor eigenvectors;  // [k, n], orthonormal rows, type and device of the matrix
  // Smallest Ritz value: never below the smallest eigenvalue, exact once steps == n. On the damped second
  // moments of SmolLM2-135M 64 steps came within 20 % (median 1 %, worst 39 %).
  double smallest = 0;
  int steps = 0;
  bool converged = false;

  double largest() const;
  // Never above the true one. Infinite when `smallest` is not positive.
  double condition_number() const;
};

// Spectrum of `matrix` + `shift` I by Lanczos iteration with full reorthogonalisation, from a fixed
// pseudo-random start. `matrix` float32 or float64 [n, n], finite, n at least 1; both triangles are read.
// Costs one product with a vector per step. Exactly equal eigenvalues count once unless the iteration
// exhausts an invariant subspace, from where it goes on in the rest of the space. Deterministic and
// single-threaded; throws c10::Error. NUMERICAL_FAILURE when the matrix is not finite; CANCELLED.
absl::StatusOr<Spectrum> ComputeSpectrum(const at::Tensor& matrix, double shift,
                                         const LanczosOptions& options, const Cancellation& cancellation);

}  // namespace heroq
