#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// Second moments of one distinct linear input over calibration tokens.
struct LayerStatistics {
  // Sum of x^T x, float32 [in, in], symmetric. No factor 2, no mean.
  at::Tensor second_moment;
  int64_t token_count = 0;
};

}  // namespace heroq
