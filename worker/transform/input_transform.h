#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace heroq {

// An invertible change of the basis of one distinct linear input, T = D^-1 R: x -> x T, W -> W T^-T = W D R,
// H -> T^T H T. D is diagonal, R block-diagonal and orthogonal; either may be missing. The functions below
// are exact in real numbers, work in the type of their argument (float32 or float64) and throw what LibTorch
// throws.
struct InputTransform {
  at::Tensor scale;     // D: float32 [in], no zeros; undefined is the identity
  at::Tensor rotation;  // [count, b, b]; undefined is the identity
  // Block k, channels [k b, (k + 1) b), is rotated by rotation[rotation_of_block[k]].
  std::vector<int64_t> rotation_of_block;

  bool is_identity() const { return !scale.defined() && !rotation.defined(); }
};

// values [..., in] R.
at::Tensor Rotate(const at::Tensor& values, const InputTransform& transform);

// W D R, for W [out, in].
at::Tensor TransformWeight(const at::Tensor& weight, const InputTransform& transform);

// R^T D^-1 H D^-1 R, for H [in, in], made symmetric exactly.
at::Tensor TransformMoments(const at::Tensor& second_moment, const InputTransform& transform);

// The same linear function in the old basis: M R^T D^-1, for M [out, in].
at::Tensor RestoreWeight(const at::Tensor& weight, const InputTransform& transform);

}  // namespace heroq
