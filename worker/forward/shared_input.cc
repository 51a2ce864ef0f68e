#include "worker/forward/shared_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include "worker/forward/activation_quantizer.h"

namespace heroq {

const at::Tensor& SharedInput::Quantized(int bits) {
  if (bits == kUnquantizedActivationBits) return x_;
  if (bits != quantized_bits_) {
    quantized_ = QuantizeActivations(x_, bits);
    quantized_bits_ = bits;
  }
  return quantized_;
}

at::Tensor SharedInput::Apply(const LinearWeights& linear) {
  const at::Tensor& x = Quantized(linear.activation_bits);
  at::Tensor y =
      linear.bias.defined() ? at::linear(x, linear.weight, linear.bias) : at::linear(x, linear.weight);
  if (!linear.branch_up.defined()) return y;
  const at::Tensor inner = at::linear(x_.to(linear.branch_down.scalar_type()), linear.branch_down);
  return (y + at::linear(inner, linear.branch_up)).to(y.scalar_type());
}

}  // namespace heroq
