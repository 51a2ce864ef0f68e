#include "worker/transform/cayley.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

namespace heroq {
namespace {

constexpr int kPolishSteps = 8;

at::Tensor IdentityLike(const at::Tensor& rotations) {
  return at::eye(rotations.size(-1), rotations.options());
}

at::Tensor SkewPart(const at::Tensor& matrices) { return matrices.sub(matrices.transpose(-2, -1)); }

}  // namespace

CayleyDescent::CayleyDescent(at::Tensor rotations, double momentum)
    : rotations_(std::move(rotations)), velocity_(at::zeros_like(rotations_)), momentum_(momentum) {}

void CayleyDescent::Step(const at::Tensor& gradient, double length) {
  const at::Tensor downhill = SkewPart(rotations_.transpose(1, 2).bmm(gradient.to(at::kDouble)));
  velocity_ = velocity_.mul(momentum_).sub_(downhill);
  // A rotation whose gradient is zero stays.
  const at::Tensor norm = at::linalg_vector_norm(velocity_, 2, {1, 2}, /*keepdim=*/true).clamp_min_(1e-300);
  const at::Tensor half_turn = velocity_.mul(norm.reciprocal().mul_(length / 2));
  const at::Tensor identity = IdentityLike(rotations_);
  rotations_ = rotations_.bmm(at::linalg_solve(identity.sub(half_turn), identity.add(half_turn)));
}

double DistanceFromOrthogonal(const at::Tensor& rotations) {
  const at::Tensor wide = rotations.to(at::kDouble);
  return wide.transpose(1, 2).bmm(wide).sub_(IdentityLike(wide)).abs_().max().item<double>();
}

at::Tensor OrthogonalPart(const at::Tensor& rotations) {
  at::Tensor part = rotations.to(at::kDouble);
  for (int step = 0; step < kPolishSteps; ++step) {
    part = part.mul(1.5).sub_(part.bmm(part.transpose(1, 2).bmm(part)), 0.5);
  }
  return part;
}

}  // namespace heroq
