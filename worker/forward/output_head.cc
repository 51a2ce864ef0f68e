#include "worker/forward/output_head.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>

#include <utility>

#include "worker/device/bf16_products.h"
#include "worker/device/torch_status.h"
#include "worker/forward/rms_norm.h"

namespace heroq {

OutputHead::OutputHead(at::Tensor gain, at::Tensor weight, double epsilon)
    : gain_(std::move(gain)),
      weight_(weight.to(at::kFloat)),
      bf16_(weight.scalar_type() == at::kBFloat16),
      epsilon_(epsilon) {}

absl::StatusOr<at::Tensor> OutputHead::Logits(const at::Tensor& hidden) const {
  return CatchTorch("output head", [&] {
    const at::Tensor x = RmsNorm(hidden, gain_, epsilon_).to(at::kFloat);
    if (!bf16_) return at::linear(x, weight_);
    const Bf16ProductsGuard exact;
    return at::linear(x, weight_);
  });
}

void OutputHead::ShareWeight(const OutputHead& other) {
  if (weight_.sizes() == other.weight_.sizes() && at::equal(weight_, other.weight_)) weight_ = other.weight_;
}

}  // namespace heroq
