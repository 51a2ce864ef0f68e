#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "worker/transform/rotation_problem.h"

namespace heroq {

struct RotationGradient {
  double loss = 0;
  // dL/dR as if the entries of R were free, [count, b, b] in the type of the problem.
  at::Tensor by_rotation;
};

// The loss of rounding a rotated weight to nearest on min-max grids, L(R) = tr(E M E^T) / tr(A M A^T) with
// A = W D, E = Q(A R) R^T - A, M the metric, and its derivative in closed form. With G = 2 E M:
//   dL/dR_k = G_k^T Q_k + A_k^T J^T(G R)_k, J the derivative of rounding (group_rounding.h),
// summed over the blocks a rotation serves. Immutable, so thread-safe. Runs in the type and on the device of
// the problem; throws c10::Error.
class RotationLoss {
 public:
  // `block` is b. At most `max_rows` rows of the weight are used, evenly spaced; the problem's shapes must
  // fit (LearnRotations checks).
  RotationLoss(const RotationProblem& problem, int64_t block, ErrorMetric metric, int64_t max_rows);

  // tr(A M A^T), by which losses are divided. Zero when nothing can be learned.
  double energy() const { return energy_; }
  // `rotations` [count, b, b] of the problem's type. CANCELLED.
  absl::StatusOr<RotationGradient> Evaluate(const at::Tensor& rotations,
                                            const Cancellation& cancellation) const;

 private:
  // E M for E [blocks, rows, b].
  at::Tensor Weigh(const at::Tensor& error) const;
  // Groups along the last dimension, and back.
  at::Tensor ToGroups(const at::Tensor& blocks) const;
  at::Tensor ToBlocks(const at::Tensor& groups) const;

  const QuantScheme scheme_;
  const int64_t block_;
  const int64_t blocks_;
  const int64_t group_length_;
  at::Tensor rotation_of_block_;  // int64 [blocks]
  // The metric: either [blocks, 1, b] or [in, in].
  at::Tensor diagonal_;
  at::Tensor matrix_;
  // A in pieces of rows that stay in the cache, each [blocks, rows, b].
  std::vector<at::Tensor> pieces_;
  double energy_ = 0;
};

}  // namespace heroq
