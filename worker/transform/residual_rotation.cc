#include "worker/transform/residual_rotation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include "worker/transform/hadamard.h"

namespace heroq {
namespace {

// The purpose of a RandomStream.
constexpr uint64_t kResidual = 1;

}  // namespace

ResidualRotation::ResidualRotation(Kind kind, int64_t hidden, uint64_t seed) {
  const RandomStream stream(seed, kResidual);
  if (kind == Kind::kRandom) {
    dense_ = RandomOrthogonal(stream, hidden);
    return;
  }
  block_ = HadamardSize(hidden, hidden);
  signs_ = RandomSigns(stream, hidden, at::kDouble);
}

at::Tensor ResidualRotation::Apply(const at::Tensor& values) const {
  if (dense_.defined()) return at::matmul(values, dense_.to(values.device(), values.scalar_type()));
  return MultiplyHadamard(values * signs_.to(values.device(), values.scalar_type()), block_);
}

}  // namespace heroq
