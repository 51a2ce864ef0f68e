#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// gain * x * rsqrt(mean(x^2) + epsilon) over the last dimension: the normalisation in float32 (float64 of
// float64), rounded to x's type, then times the gain, as transformers does. x [..., features], gain
// [features] of x's type and contiguous. Throws what LibTorch throws.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain, double epsilon);

}  // namespace heroq
