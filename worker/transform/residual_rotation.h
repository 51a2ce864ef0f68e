#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// The one rotation R [hidden, hidden] of a model's residual stream (numerics: transform `fused`). A pure
// function of the job's seed, so every task can form it. h -> h R leaves RMSNorm without gain unchanged up to
// the same rotation, because R is orthogonal; what reads the stream takes W R, what writes to it R^T W.
// Immutable, thread-safe.
class ResidualRotation {
 public:
  enum class Kind {
    kHadamard,  // random signs, then Hadamard blocks of the largest power of two that divides the width
    kRandom,    // uniformly random orthogonal, dense: for widths that powers of two divide badly
  };

  ResidualRotation(Kind kind, int64_t hidden, uint64_t seed);

  // values [..., hidden] R, in the type of `values` (float32 or float64), on its device. Throws what LibTorch
  // throws.
  at::Tensor Apply(const at::Tensor& values) const;
  // R^T matrix, for matrix [hidden, columns].
  at::Tensor ApplyToRows(const at::Tensor& matrix) const { return Apply(matrix.t()).t().contiguous(); }

 private:
  int64_t block_ = 1;
  at::Tensor signs_;  // [hidden], of kHadamard
  at::Tensor dense_;  // [hidden, hidden] float64, of kRandom
};

}  // namespace heroq
