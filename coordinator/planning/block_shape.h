#pragma once

#include <cstdint>

#include "common/model/model_layout.h"

namespace heroq {

// What the linears of a block sum to. Linears that read the same input count it once.
struct BlockShape {
  int64_t weights = 0;
  int64_t width = 0;    // of all distinct inputs
  int64_t squares = 0;  // of their widths: what their second moments hold
  int64_t widest = 0;
};

// Pure.
BlockShape ShapeOf(const BlockLayout& block);

}  // namespace heroq
