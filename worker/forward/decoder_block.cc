#include "worker/forward/decoder_block.h"

#include <utility>

#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/forward/attention.h"
#include "worker/forward/gated_activation.h"
#include "worker/forward/input_rotation.h"
#include "worker/forward/rms_norm.h"

namespace heroq {
DecoderBlock::DecoderBlock(const ModelLayout& layout, BlockWeights weights)
    : head_dim_(layout.head_dim), epsilon_(layout.norm_epsilon), weights_(std::move(weights)) {}

absl::StatusOr<at::Tensor> DecoderBlock::Forward(const at::Tensor& hidden, const RotaryTable& rotary,
                                                 ActivationTap* tap) const {
  return CatchTorch("decoder block", [&]() -> absl::StatusOr<at::Tensor> {
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor attended, Attend(hidden, rotary, tap));
    return Transform(attended, tap);
  });
}

absl::StatusOr<at::Tensor> DecoderBlock::Read(LinearInput input, const at::Tensor& x,
                                              ActivationTap* tap) const {
  if (tap != nullptr) HEROQ_RETURN_IF_ERROR(tap->Observe(input, x.view({-1, x.size(-1)})));
  const auto rotation = weights_.rotations.find(input);
  return rotation == weights_.rotations.end() ? x : RotateInput(x, rotation->second);
}

at::Tensor DecoderBlock::Apply(SharedInput& x, LinearInput input, LinearRole role,
                               const LinearWeights& linear, ActivationTap* tap) const {
  at::Tensor output = x.Apply(linear);
  const bool product = !linear.bias.defined() && !linear.branch_up.defined() && weights_.rotations.empty() &&
                       linear.activation_bits == kUnquantizedActivationBits;
  if (tap != nullptr && product) tap->ObserveOutput(input, role, output);
  return output;
}

absl::StatusOr<at::Tensor> DecoderBlock::Attend(const at::Tensor& hidden, const RotaryTable& rotary,
                                                ActivationTap* tap) const {
  const at::Tensor normed = RmsNorm(hidden, weights_.attention_norm, epsilon_);
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor x, Read(LinearInput::kAttentionIn, normed, tap));
  SharedInput input(x);
  const auto heads = [&](LinearRole role, const LinearWeights& linear) {
    return Apply(input, LinearInput::kAttentionIn, role, linear, tap)
        .view({x.size(0), x.size(1), -1, head_dim_});
  };
  const at::Tensor mixed = CausalAttention(rotary.Rotate(heads(LinearRole::kQuery, weights_.query)),
                                           rotary.Rotate(heads(LinearRole::kKey, weights_.key)),
                                           heads(LinearRole::kValue, weights_.value));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor read, Read(LinearInput::kAttentionOut, mixed, tap));
  SharedInput output(read);
  return Apply(output, LinearInput::kAttentionOut, LinearRole::kOutput, weights_.output, tap).add_(hidden);
}

absl::StatusOr<at::Tensor> DecoderBlock::Transform(const at::Tensor& hidden, ActivationTap* tap) const {
  const at::Tensor normed = RmsNorm(hidden, weights_.mlp_norm, epsilon_);
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor x, Read(LinearInput::kMlpIn, normed, tap));
  SharedInput input(x);
  at::Tensor gated = Apply(input, LinearInput::kMlpIn, LinearRole::kGate, weights_.gate, tap);
  MultiplySilu(gated, Apply(input, LinearInput::kMlpIn, LinearRole::kUp, weights_.up, tap));
  HEROQ_ASSIGN_OR_RETURN(const at::Tensor read, Read(LinearInput::kMlpOut, gated, tap));
  SharedInput output(read);
  return Apply(output, LinearInput::kMlpOut, LinearRole::kDown, weights_.down, tap).add_(hidden);
}

}  // namespace heroq
