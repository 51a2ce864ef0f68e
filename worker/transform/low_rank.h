#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"

namespace heroq {

// The directions of a linear's output that hold most of tr(W G W^T): float64 [out, rank], orthonormal
// columns, the leading eigenvectors of W G W^T, which are the leading left singular vectors of W G^(1/2)
// without a root or an inverse of G, so G may be singular. U U^T W is then the matrix of that rank with the
// smallest tr((W - L) G (W - L)^T) (Eckart and Young), and what is left of it is the sum of the other
// eigenvalues.
//
// `weight` [out, in]; `moment` G [in, in], symmetric positive semidefinite, or undefined for the identity:
// plain singular vectors of W. 1 <= rank <= min(out, in). Exact up to kExactOutputs outputs; above, a
// randomised range finder with three power steps from a fixed start (Halko, Martinsson, Tropp 2011,
// algorithm 4.4). Deterministic. NUMERICAL_FAILURE when the product is not finite; CANCELLED. Throws what
// LibTorch throws.
absl::StatusOr<at::Tensor> LeadingDirections(const at::Tensor& weight, const at::Tensor& moment, int64_t rank,
                                             const Cancellation& cancellation);

inline constexpr int64_t kExactOutputs = 256;

}  // namespace heroq
