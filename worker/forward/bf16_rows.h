#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "worker/forward/block_kernels.h"

namespace heroq {

// Whether the kernels of block_kernels.h serve `x`: bfloat16 on a CPU.
inline bool HasBlockKernels(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kBFloat16; }

inline const uint16_t* Bits(const at::Tensor& x) {
  return reinterpret_cast<const uint16_t*>(x.const_data_ptr<c10::BFloat16>());
}
inline uint16_t* MutableBits(const at::Tensor& x) {
  return reinterpret_cast<uint16_t*>(x.mutable_data_ptr<c10::BFloat16>());
}

// `body(kernels, row)` of each row of `width` elements, on ATen's threads: rows that share nothing.
template <typename Body>
void ForRows(int64_t rows, int64_t width, const Body& body) {
  constexpr int64_t kElements = int64_t{1} << 15;  // worth a thread
  const BlockKernels& kernels = BlockKernelsFor(BestIsa());
  at::parallel_for(0, rows, std::max<int64_t>(1, kElements / width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) body(kernels, row);
  });
}

}  // namespace heroq
