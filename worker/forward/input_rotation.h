#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// x (I (x) R): every block of b channels of x [..., features] times `rotation` R [b, b], where b divides the
// features. Computed in the type of R, as loaders of compressed-tensors transforms do, and given in the type
// of x. Throws what LibTorch throws.
at::Tensor RotateInput(const at::Tensor& x, const at::Tensor& rotation);

}  // namespace heroq
