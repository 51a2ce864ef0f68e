#include "worker/transform/smoothing.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/zeros_like.h>

namespace heroq {
namespace {

constexpr double kFloor = 1e-6;

at::Tensor LogOf(const at::Tensor& largest) {
  const at::Tensor values = largest.to(at::kDouble);
  const double mean = at::mean(values).item<double>();
  if (!(mean > 0)) return at::zeros_like(values);
  return at::log(at::clamp(values, kFloor * mean));
}

}  // namespace

at::Tensor SmoothingScale(const at::Tensor& activations, const at::Tensor& weights, double strength) {
  const at::Tensor logarithm = LogOf(activations) * strength - LogOf(weights) * (1 - strength);
  return at::exp(logarithm - at::mean(logarithm)).to(at::kFloat);
}

at::Tensor LargestOverQueryHeads(const at::Tensor& values, int64_t heads, int64_t value_heads) {
  const at::Tensor grouped = values.view({value_heads, heads / value_heads, values.numel() / heads});
  return at::amax(grouped, 1, /*keepdim=*/true).expand_as(grouped).reshape({-1});
}

}  // namespace heroq
