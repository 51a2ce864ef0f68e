#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// D of SmoothQuant (arXiv 2211.10438, equation 4): max|x_j|^strength / max|w_j|^(1 - strength) over its
// geometric mean, which leaves every rounding as it is and keeps norm gains in range. `activations` and
// `weights` are those maxima, [in]; each is floored at 1e-6 of its mean, and one that is all zero counts as
// ones. float32 [in], positive. Throws what LibTorch throws.
at::Tensor SmoothingScale(const at::Tensor& activations, const at::Tensor& weights, double strength);

// The largest of `values` [heads * head_dim] over the query heads that read the same value head, for each of
// them.
at::Tensor LargestOverQueryHeads(const at::Tensor& values, int64_t heads, int64_t value_heads);

}  // namespace heroq
