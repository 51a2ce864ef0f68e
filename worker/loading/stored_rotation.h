#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

namespace heroq {

// Checkpoints store sqrt(b) R of an online rotation R [b, b], exact for a Hadamard matrix, and loaders divide
// by sqrt(b). Both throw what LibTorch throws.

// The tensor that is stored, in float64.
at::Tensor StoredRotation(const at::Tensor& rotation);

// R in `dtype`, of a stored tensor.
at::Tensor OnlineRotationOf(const at::Tensor& stored, c10::ScalarType dtype);

}  // namespace heroq
