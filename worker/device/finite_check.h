#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// How many elements are NaN or infinite. `tensor` is bfloat16, float16, float32 or float64, contiguous, on
// the CPU.
int64_t CountNonFinite(const at::Tensor& tensor);

}  // namespace heroq
