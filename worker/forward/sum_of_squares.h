#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace heroq {

// The sum of x^2 over `values` [..., width], contiguous, in float32 along rows and float64 over them; the
// same for any number of threads. Only of bfloat16 on a CPU, in one pass over memory; none of others.
std::optional<double> SumOfSquares(const at::Tensor& values);

}  // namespace heroq
