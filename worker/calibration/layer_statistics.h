#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>

#include "common/model/model_layout.h"
#include "worker/calibration/kept_activations.h"

namespace heroq {

// Second moments of one distinct linear input over calibration tokens.
struct LayerStatistics {
  // Sum of x^T x, float32 [in, in], symmetric. No factor 2, no mean.
  at::Tensor second_moment;
  int64_t token_count = 0;
  // Where the input is quantized at run time; null elsewhere.
  std::shared_ptr<const KeptActivations> kept = nullptr;
  // Of linears that read the input, where it was counted: tr(W H W^T), the sum over the tokens of ||W x||^2,
  // from outputs in the type they were computed in. It holds for the weights the model has.
  std::map<LinearRole, double> output_energies = {};
};

}  // namespace heroq
