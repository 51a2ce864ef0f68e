#include "worker/transform/conditioning.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones_like.h>

namespace heroq {
namespace {

constexpr double kFloor = 1e-6;

}  // namespace

at::Tensor ConditioningScale(const at::Tensor& diagonal, double alpha) {
  const at::Tensor h = diagonal.to(at::kDouble);
  const double mean = at::mean(h).item<double>();
  if (alpha == 0 || !(mean > 0)) return at::ones_like(diagonal, at::kFloat);
  const at::Tensor logarithm = at::log(at::clamp(h, kFloor * mean));
  return at::exp((logarithm - at::mean(logarithm)) * (alpha / 2)).to(at::kFloat);
}

at::Tensor ShareOverQueryHeads(const at::Tensor& diagonal, int64_t heads, int64_t value_heads) {
  const int64_t head_dim = diagonal.numel() / heads;
  const at::Tensor grouped = diagonal.view({value_heads, heads / value_heads, head_dim});
  return at::mean(grouped, 1, /*keepdim=*/true).expand_as(grouped).reshape({-1});
}

}  // namespace heroq
