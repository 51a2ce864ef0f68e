#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "worker/transform/random_stream.h"

namespace heroq {

// Orthogonal matrices that need no learning. All functions throw what LibTorch throws.

// The largest power of two that is at most `limit` and divides `width`.
int64_t HadamardSize(int64_t width, int64_t limit);

// Sylvester's matrix over sqrt(size): symmetric, orthogonal, [size, size] of `type` on the CPU. `size` is a
// power of two.
at::Tensor HadamardMatrix(int64_t size, c10::ScalarType type);

// values [..., width] times the block-diagonal matrix whose blocks are HadamardMatrix(size); `size` divides
// the width. Costs about 2 * sqrt(size) multiply-adds a value for large sizes.
at::Tensor MultiplyHadamard(const at::Tensor& values, int64_t size);

// `count` numbers +1 or -1 of `type` on the CPU.
at::Tensor RandomSigns(const RandomStream& stream, int64_t count, c10::ScalarType type);

// An orthogonal matrix of `size`, distributed uniformly: the Q of a Gaussian matrix with the signs of R's
// diagonal. float64, on the CPU.
at::Tensor RandomOrthogonal(const RandomStream& stream, int64_t size);

}  // namespace heroq
