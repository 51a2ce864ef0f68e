#pragma once

#include <c10/core/ScalarType.h>

#include <optional>

#include "common/checkpoint/dtype.h"

namespace heroq {

// LibTorch's type of a stored floating-point type; nullopt for other types.
inline std::optional<c10::ScalarType> FloatTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return at::kHalf;
    case DType::kBf16:
      return at::kBFloat16;
    case DType::kF32:
      return at::kFloat;
    case DType::kF64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

}  // namespace heroq
