#pragma once

#include <ATen/core/Tensor.h>

#include "absl/status/status.h"
#include "common/model/model_layout.h"

namespace heroq {

// Sees the inputs and outputs of a block's linears while the block runs. Thread-compatible.
class ActivationTap {
 public:
  virtual ~ActivationTap() = default;
  // `rows` [tokens, features], in the compute type, contiguous; valid during the call only. Called once per
  // distinct input and forward call. An error ends the forward call with it.
  virtual absl::Status Observe(LinearInput input, const at::Tensor& rows) = 0;
  // `values` [..., out], contiguous, are the weight of a linear times `input` as observed; valid during the
  // call only. Not called where an output is not just that: of a bias, a branch, a quantized or rotated
  // input.
  virtual void ObserveOutput(LinearInput input, LinearRole role, const at::Tensor& values) = 0;
};

}  // namespace heroq
