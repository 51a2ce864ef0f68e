#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "common/model/model_layout.h"

namespace heroq {

// Rotary position embedding (RoFormer, arXiv 2104.09864) for sequences of one length: rotates the halves of
// each head, not interleaved pairs. Angles are formed in float32 and rounded to `dtype` as transformers does.
// Scaling: linear divides all frequencies by a factor; dynamic (NTK-aware) raises the base once sequences
// outgrow the model; llama3 divides long wavelengths, keeps short ones and blends between. Immutable,
// thread-safe. Throws what LibTorch throws.
class RotaryTable {
 public:
  RotaryTable(const ModelLayout& layout, int64_t length, c10::ScalarType dtype, c10::Device device);

  // heads [sequences, length, heads, head_dim] -> the rotated heads, same shape and type, contiguous: in the
  // memory of `heads` where they are bfloat16 on a CPU.
  at::Tensor Rotate(const at::Tensor& heads) const;

 private:
  at::Tensor RotateInPlace(const at::Tensor& heads) const;

  at::Tensor cosine_;  // [length, 1, head_dim / 2]
  at::Tensor sine_;
};

}  // namespace heroq
