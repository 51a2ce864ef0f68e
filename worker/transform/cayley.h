#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// Momentum descent over orthogonal matrices with the Cayley transform (Li, Fuxin, Todorovic: Efficient
// Riemannian Optimization on the Stiefel Manifold via the Cayley Transform, ICLR 2020), for square matrices,
// where it simplifies:
//   V <- momentum V - (R^T G - G^T R),  R <- R (I - t/2 V)^-1 (I + t/2 V),  t = length / ||V||_F.
// V is skew, so R stays orthogonal; it lives in the frame of R, so that keeping it transports it (the paper
// projects it anew, the same to second order). The retraction is a solve; the paper's fixed-point iteration
// is exact for small steps only. One step turns every rotation by the same amount, whatever the scale of its
// gradient.
//
// Float64: 200 steps leave R^T R = I to 1e-12. Works on a batch [count, b, b] on one device; throws
// c10::Error. Not thread-safe.
class CayleyDescent {
 public:
  // `rotations` orthogonal (OrthogonalPart), float64 [count, b, b].
  CayleyDescent(at::Tensor rotations, double momentum);

  const at::Tensor& rotations() const { return rotations_; }
  // One step of the Frobenius norm `length` against `gradient` = dL/dR, [count, b, b] of any float type.
  void Step(const at::Tensor& gradient, double length);

 private:
  at::Tensor rotations_;
  at::Tensor velocity_;
  const double momentum_;
};

// The largest |R^T R - I| over all entries of [count, b, b].
double DistanceFromOrthogonal(const at::Tensor& rotations);

// The orthogonal matrices next to nearly orthogonal ones (DistanceFromOrthogonal well below 1 / b), in
// float64, by Newton-Schulz iteration.
at::Tensor OrthogonalPart(const at::Tensor& rotations);

}  // namespace heroq
