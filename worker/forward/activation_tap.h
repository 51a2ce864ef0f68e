#pragma once

#include <ATen/core/Tensor.h>

#include "absl/status/status.h"
#include "common/model/model_layout.h"

namespace heroq {

// Sees the inputs of a block's linears while the block runs. Thread-compatible.
class ActivationTap {
 public:
  virtual ~ActivationTap() = default;
  // `rows` [tokens, features], in the compute type, contiguous; valid during the call only. Called once per
  // distinct input and forward call. An error ends the forward call with it.
  virtual absl::Status Observe(LinearInput input, const at::Tensor& rows) = 0;
};

}  // namespace heroq
