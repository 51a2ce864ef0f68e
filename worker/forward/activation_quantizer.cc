#include "worker/forward/activation_quantizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/frexp.h>
#include <ATen/ops/ldexp.h>
#include <ATen/ops/where.h>

#include <limits>
#include <vector>

namespace heroq {
namespace {

double Epsilon(c10::ScalarType type) {
  switch (type) {
    case at::kBFloat16:
      return 0x1p-7;
    case at::kHalf:
      return 0x1p-10;
    case at::kDouble:
      return std::numeric_limits<double>::epsilon();
    default:
      return std::numeric_limits<float>::epsilon();
  }
}

// Scales with four significant bits, [...]; zero stays zero.
at::Tensor RoundToE4m3Mantissa(const at::Tensor& scale) {
  const auto [mantissa, exponent] = at::frexp(scale);
  return at::ldexp((mantissa * 16).round_() / 16, exponent);
}

// Magnitudes from 0 to 6.
at::Tensor RoundToE2m1(const at::Tensor& magnitude) {
  const auto step = [&](double width) { return (magnitude / width).round_().mul_(width); };
  return at::where(magnitude < 2, step(0.5), at::where(magnitude < 4, step(1), step(2)));
}

}  // namespace

at::Tensor QuantizeActivationsNvfp4(const at::Tensor& x) {
  constexpr int64_t kBlock = 16;
  const int64_t width = x.size(-1);
  const int64_t padding = (kBlock - width % kBlock) % kBlock;
  const at::Tensor blocks = at::constant_pad_nd(x.to(at::kFloat), {0, padding}).view({-1, kBlock});
  at::Tensor scale = RoundToE4m3Mantissa(at::amax(blocks.abs(), -1, /*keepdim=*/true) / 6);
  scale.masked_fill_(scale == 0, 1);
  const at::Tensor magnitude = RoundToE2m1((blocks.abs() / scale).clamp_max_(6));
  const at::Tensor rounded = magnitude.mul(scale) * blocks.sign();
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = width + padding;
  return rounded.view(shape).narrow(-1, 0, width).to(x.scalar_type());
}

at::Tensor QuantizeActivations(const at::Tensor& x, int bits) {
  const double levels = 1 << (bits - 1);
  at::Tensor scale = at::amax(x.abs(), -1, /*keepdim=*/true) / (levels - 0.5);
  // A row of zeros has no range; any scale but zero will do.
  scale.masked_fill_(scale == 0, Epsilon(x.scalar_type()));
  return (x / scale).clamp_(-levels, levels - 1).round_().mul_(scale);
}

}  // namespace heroq
