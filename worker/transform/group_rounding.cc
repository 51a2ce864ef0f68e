#include "worker/transform/group_rounding.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>

#include <tuple>

namespace heroq {
namespace {

// The largest value of a symmetric group lies halfway between two codes. This much puts it on the outer one,
// whichever way the division was rounded.
constexpr double kOutwards = 1 + 1e-6;

// s of a group without range is arbitrary: its values are zero.
at::Tensor NonZero(const at::Tensor& scale) { return scale.masked_fill(scale.le(0), 1); }

}  // namespace

GroupRounding RoundGroups(const at::Tensor& values, const QuantScheme& scheme) {
  GroupRounding rounding;
  const double max_code = scheme.max_code();
  at::Tensor scale;
  at::Tensor lowest;   // 0 - z
  at::Tensor highest;  // max_code - z
  if (scheme.symmetric) {
    at::Tensor largest;
    std::tie(largest, rounding.top) = values.abs().max(-1, /*keepdim=*/true);
    scale = NonZero(largest.mul(2 / max_code));
    rounding.top_slope = values.gather(-1, rounding.top).sign_().mul_(2 / max_code);
    lowest = at::full_like(scale, -scheme.middle_code());
  } else {
    at::Tensor largest;
    at::Tensor smallest;
    std::tie(largest, rounding.top) = values.max(-1, /*keepdim=*/true);
    std::tie(smallest, rounding.bottom) = values.min(-1, /*keepdim=*/true);
    largest.clamp_min_(0);
    smallest.clamp_max_(0);
    scale = NonZero(largest.sub(smallest).div_(max_code));
    rounding.top_slope = largest.sign().div_(max_code);
    rounding.bottom_slope = smallest.sign().div_(max_code);
    lowest = smallest.div(scale).round_();
  }
  highest = lowest.add(max_code);

  const at::Tensor position = values.div(scale);
  const at::Tensor nearest = position.mul(kOutwards).round_();
  const at::Tensor level = nearest.clamp(lowest, highest);
  rounding.inside = nearest.eq(level);
  rounding.rounded = level.mul(scale);
  rounding.scale_derivative = at::where(rounding.inside, level.sub(position), level);
  return rounding;
}

at::Tensor DifferentiateRounding(const GroupRounding& rounding, const at::Tensor& upstream) {
  const at::Tensor by_scale = upstream.mul(rounding.scale_derivative).sum(-1, /*keepdim=*/true);
  at::Tensor derivative = upstream.mul(rounding.inside);
  derivative.scatter_add_(-1, rounding.top, by_scale.mul(rounding.top_slope));
  if (rounding.bottom.defined()) {
    derivative.scatter_add_(-1, rounding.bottom, by_scale.mul(rounding.bottom_slope));
  }
  return derivative;
}

}  // namespace heroq
