#pragma once

#include <ATen/core/Tensor.h>

#include "absl/types/span.h"

namespace heroq {

// `matrix` as contiguous float32 on the CPU; the same tensor when it is that already.
inline at::Tensor HostMatrix(const at::Tensor& matrix) {
  return matrix.to(at::kCPU, at::kFloat).contiguous();
}

// View of what HostMatrix returned; the tensor outlives it.
inline absl::Span<const float> Values(const at::Tensor& matrix) {
  return absl::MakeConstSpan(matrix.const_data_ptr<float>(), static_cast<size_t>(matrix.numel()));
}

}  // namespace heroq
