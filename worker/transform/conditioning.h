#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// D of HeRo-Q (numerics section 3; the paper's D = diag(|h|^(alpha / 2))): h is the diagonal of the second
// moments [in], floored at 1e-6 of its mean, and D is divided by its geometric mean, which leaves the loss as
// it is and keeps norm gains in range. All ones when alpha is 0 or h is all zero. float32 [in]. Throws what
// LibTorch throws.
at::Tensor ConditioningScale(const at::Tensor& diagonal, double alpha);

// The diagonal of an attention output [heads * head_dim] as the channels of a value head see it: averaged
// over the query heads that read the same value head, repeated for each of them.
at::Tensor ShareOverQueryHeads(const at::Tensor& diagonal, int64_t heads, int64_t value_heads);

}  // namespace heroq
