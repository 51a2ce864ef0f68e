#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "worker/calibration/kept_activations.h"

namespace heroq {

// Second moments of one distinct linear input over calibration tokens.
struct LayerStatistics {
  // Sum of x^T x, float32 [in, in], symmetric. No factor 2, no mean.
  at::Tensor second_moment;
  int64_t token_count = 0;
  // Where the input is quantized at run time; null elsewhere.
  std::shared_ptr<const KeptActivations> kept = nullptr;
};

}  // namespace heroq
