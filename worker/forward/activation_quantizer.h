#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// Activations as a linear reads them that quantizes them at run time: every row of the last dimension rounded
// to symmetric integers of `bits` bits (2 to 8) with the scale amax / (2^(bits - 1) - 1/2), clamped, and
// back. Works in the type of `x`, operation by operation as compressed-tensors does for dynamic, symmetric,
// per-token input_activations: the same bits. Throws what LibTorch throws.
at::Tensor QuantizeActivations(const at::Tensor& x, int bits);

// Simulated NVFP4: blocks of 16 channels (the last may be shorter) with the scale amax / 6, rounded to the
// four significant bits of an e4m3 number of any exponent; values rounded to e2m1 (0, 0.5, 1, 1.5, 2, 3, 4,
// 6), ties to even codes. In the type of `x`, computed in float32. Throws what LibTorch throws.
at::Tensor QuantizeActivationsNvfp4(const at::Tensor& x);

}  // namespace heroq
