#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/transform/rotation_problem.h"

namespace heroq {

struct RotationOptions {
  ErrorMetric metric = ErrorMetric::kRootDiagonal;
  int steps = 60;
  // Frobenius norm of the first step over sqrt(b); steps shrink linearly to zero.
  double step = 0.1;
  double momentum = 0.9;
  // Steps without a better iterate after which learning ends.
  int patience = 20;
  // Rows of the weight that are used, evenly spaced. Few rows are learned by heart: with 1024 of the 3072
  // rows of gate and up in SmolLM2-135M half of what all rows gain is lost.
  int64_t max_rows = 4096;
};

struct LearnedRotation {
  at::Tensor rotations;  // [count, b, b] float32; max |R^T R - I| <= 1e-6
  // Normalised losses (rotation_loss.h) of the initial and the returned rotations.
  double initial_loss = 0;
  double final_loss = 0;
  std::vector<double> losses;  // of every iterate, the initial one first
  int best_step = 0;           // index into losses; 0 = the initial rotations are returned
  // Losses rose above the initial one and stayed there for `patience` steps, or stopped being finite. The
  // initial rotations are returned and `reason` says what happened.
  bool diverged = false;
  // Also set when there was nothing to learn: a weight or second moments of zero.
  std::string reason;
};

// Learns the rotations of `problem` from `initial` [count, b, b] (b divides the inputs, entries of
// rotation_of_block below count) by Cayley descent on the full loss, and keeps the best iterate. The matrices
// are held in float64 and rounded to float32 once, at the end. Deterministic, and single-threaded whatever
// the thread settings are, so that equal problems give equal bits. On the device of the weight; throws
// c10::Error. INTERNAL when shapes do not fit or an initial matrix is not orthogonal; CANCELLED.
absl::StatusOr<LearnedRotation> LearnRotations(const RotationProblem& problem, const at::Tensor& initial,
                                               const RotationOptions& options,
                                               const Cancellation& cancellation);

}  // namespace heroq
