#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/concurrency/cancellation.h"
#include "worker/quantizer/grid.h"
#include "worker/quantizer/hessian_factor.h"
#include "worker/quantizer/kernels.h"

namespace heroq {

struct GptqSolution {
  // [rows, columns], columns in their original order.
  std::vector<uint8_t> codes;
  // Per row: e H e^T of its error e, damping not counted.
  std::vector<double> loss;
};

// GPTQ (arXiv 2210.17323) on a fixed grid: inputs are rounded one after the other, each target being the
// weight plus what the errors of the inputs before it ask for.
//
// With H_damped = U U^T the loss of an error E = W - Q is ||E U||^2, whose j-th column needs the errors up to
// j only; the greedy choice is q_j = round(w_j + sum_{i<j} E_i U_ij / U_jj), the decisions of the published
// algorithm (whose update matrix is U^-1). The sum is taken left-looking, in panels, so every error is
// written once. The loss comes for free: sum_j U_jj^2 (target_j - q_j)^2 = tr(E H_damped E^T), from which the
// damping's share shift * ||E||^2 is subtracted.
//
// Rows are independent: linears that read the same input may be stacked. `weight` [rows, columns] row-major.
// Single-threaded; a row's result does not depend on the rows beside it. CANCELLED.
absl::StatusOr<GptqSolution> SolveGptq(const Kernels& kernels, absl::Span<const float> weight,
                                       const ScaleGrid& grid, const HessianFactor& factor,
                                       const Cancellation& cancellation);

}  // namespace heroq
