#include "worker/forward/decoder_block.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>

#include <utility>

#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/forward/attention.h"
#include "worker/forward/rms_norm.h"

namespace heroq {
namespace {

at::Tensor Apply(const LinearWeights& linear, const at::Tensor& x) {
  if (!linear.bias.defined()) return at::linear(x, linear.weight);
  return at::linear(x, linear.weight, linear.bias);
}

absl::Status Observe(ActivationTap* tap, LinearInput input, const at::Tensor& x) {
  return tap == nullptr ? absl::OkStatus() : tap->Observe(input, x.view({-1, x.size(-1)}));
}

}  // namespace

DecoderBlock::DecoderBlock(const ModelLayout& layout, BlockWeights weights)
    : head_dim_(layout.head_dim), epsilon_(layout.norm_epsilon), weights_(std::move(weights)) {}

absl::StatusOr<at::Tensor> DecoderBlock::Forward(const at::Tensor& hidden, const RotaryTable& rotary,
                                                 ActivationTap* tap) const {
  return CatchTorch("decoder block", [&]() -> absl::StatusOr<at::Tensor> {
    HEROQ_ASSIGN_OR_RETURN(const at::Tensor attended, Attend(hidden, rotary, tap));
    return Transform(attended, tap);
  });
}

absl::StatusOr<at::Tensor> DecoderBlock::Attend(const at::Tensor& hidden, const RotaryTable& rotary,
                                                ActivationTap* tap) const {
  const at::Tensor x = RmsNorm(hidden, weights_.attention_norm, epsilon_);
  HEROQ_RETURN_IF_ERROR(Observe(tap, LinearInput::kAttentionIn, x));
  const auto heads = [&](const LinearWeights& linear) {
    return Apply(linear, x).view({x.size(0), x.size(1), -1, head_dim_});
  };
  const at::Tensor mixed = CausalAttention(rotary.Rotate(heads(weights_.query)),
                                           rotary.Rotate(heads(weights_.key)), heads(weights_.value));
  HEROQ_RETURN_IF_ERROR(Observe(tap, LinearInput::kAttentionOut, mixed));
  return Apply(weights_.output, mixed).add_(hidden);
}

absl::StatusOr<at::Tensor> DecoderBlock::Transform(const at::Tensor& hidden, ActivationTap* tap) const {
  const at::Tensor x = RmsNorm(hidden, weights_.mlp_norm, epsilon_);
  HEROQ_RETURN_IF_ERROR(Observe(tap, LinearInput::kMlpIn, x));
  at::Tensor gated = Apply(weights_.gate, x);
  at::silu_(gated).mul_(Apply(weights_.up, x));
  HEROQ_RETURN_IF_ERROR(Observe(tap, LinearInput::kMlpOut, gated));
  return Apply(weights_.down, gated).add_(hidden);
}

}  // namespace heroq
