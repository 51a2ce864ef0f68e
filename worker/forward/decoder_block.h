#pragma once

#include <ATen/core/Tensor.h>

#include <map>

#include "absl/status/statusor.h"
#include "common/model/model_layout.h"
#include "worker/forward/activation_tap.h"
#include "worker/forward/rotary_table.h"
#include "worker/forward/shared_input.h"

namespace heroq {

// One decoder block's tensors, all of one type and on one device.
struct BlockWeights {
  at::Tensor attention_norm;  // input_layernorm
  at::Tensor mlp_norm;        // post_attention_layernorm
  LinearWeights query;
  LinearWeights key;
  LinearWeights value;
  LinearWeights output;
  LinearWeights gate;
  LinearWeights up;
  LinearWeights down;
  // R [b, b] of inputs that are rotated at run time (input_rotation.h), float32 or wider.
  std::map<LinearInput, at::Tensor> rotations;
};

// A pre-norm decoder block of the llama family:
//   h' = h + o(attention(rope(q(n)), rope(k(n)), v(n))), n = norm(h);  out = h' + down(silu(gate(m)) *
//   up(m)), m = norm(h').
// Each linear runs once per token, on its input times the input's rotation where there is one. Sequences do
// not see each other: the output for a sequence is the same whatever it is batched with. Immutable,
// thread-safe.
class DecoderBlock {
 public:
  DecoderBlock(const ModelLayout& layout, BlockWeights weights);

  // hidden [sequences, length, hidden] of the weights' type; `rotary` of that length. `tap` may be null.
  // Errors: what the tap returns, OUT_OF_MEMORY, INTERNAL.
  absl::StatusOr<at::Tensor> Forward(const at::Tensor& hidden, const RotaryTable& rotary,
                                     ActivationTap* tap) const;

 private:
  // Shows `x` to the tap and gives what the linears of `input` read.
  absl::StatusOr<at::Tensor> Read(LinearInput input, const at::Tensor& x, ActivationTap* tap) const;
  // Shows the output of `linear` to the tap and gives it.
  at::Tensor Apply(SharedInput& x, LinearInput input, LinearRole role, const LinearWeights& linear,
                   ActivationTap* tap) const;
  absl::StatusOr<at::Tensor> Attend(const at::Tensor& hidden, const RotaryTable& rotary,
                                    ActivationTap* tap) const;
  absl::StatusOr<at::Tensor> Transform(const at::Tensor& hidden, ActivationTap* tap) const;

  const int64_t head_dim_;
  const double epsilon_;
  const BlockWeights weights_;
};

}  // namespace heroq
