#include "worker/forward/rms_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>

#include "worker/forward/bf16_rows.h"

namespace heroq {
namespace {

at::Tensor RmsNormRows(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const at::Tensor rows = x.contiguous();
  const at::Tensor normed = at::empty_like(rows);
  const uint16_t* const from = Bits(rows);
  const uint16_t* const gains = Bits(gain);
  uint16_t* const to = MutableBits(normed);
  const int64_t width = rows.size(-1);
  ForRows(rows.numel() / width, width, [&](const BlockKernels& kernels, int64_t row) {
    kernels.rms_norm(from + row * width, gains, static_cast<float>(epsilon), width, to + row * width);
  });
  return normed;
}

}  // namespace

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  if (HasBlockKernels(x)) return RmsNormRows(x, gain, epsilon);
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const at::Tensor scale = wide.pow(2).mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  return (wide * scale).to(x.scalar_type()).mul_(gain);
}

}  // namespace heroq
