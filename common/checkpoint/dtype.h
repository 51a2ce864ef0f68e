#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace heroq {

// safetensors element types that heroq reads, in the order in which the Python library lays tensors out (last
// first).
enum class DType { kBool, kU8, kI8, kI16, kU16, kF16, kBf16, kI32, kU32, kF32, kF64, kI64, kU64 };

int64_t SizeOf(DType dtype);
absl::string_view ToString(DType dtype);  // safetensors spelling: "BF16"
std::optional<DType> ParseDType(absl::string_view text);

}  // namespace heroq
