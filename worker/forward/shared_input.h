#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "common/quant/quant_scheme.h"

namespace heroq {

struct LinearWeights {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out]; undefined when the linear has none
  // Below 16 the weight meets QuantizeActivations of the input.
  int activation_bits = kUnquantizedActivationBits;
  // x down^T up^T is added, x as it is; computed in their type. Undefined without a branch.
  at::Tensor branch_down = {};  // [rank, in]
  at::Tensor branch_up = {};    // [out, rank]
};

// One distinct input of a block and the linears that read it, which share its quantized form.
// Thread-compatible.
class SharedInput {
 public:
  // `x` [..., in] outlives this.
  explicit SharedInput(const at::Tensor& x) : x_(x) {}

  // The linear's output, in the type of `x`. Throws what LibTorch throws.
  at::Tensor Apply(const LinearWeights& linear);

 private:
  const at::Tensor& Quantized(int bits);

  const at::Tensor& x_;
  at::Tensor quantized_;
  int quantized_bits_ = kUnquantizedActivationBits;
};

}  // namespace heroq
