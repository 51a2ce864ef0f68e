#include "worker/forward/rms_norm.h"

#include <ATen/TensorOperators.h>

namespace heroq {

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const at::Tensor scale = wide.pow(2).mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_();
  return (wide * scale).to(x.scalar_type()).mul_(gain);
}

}  // namespace heroq
