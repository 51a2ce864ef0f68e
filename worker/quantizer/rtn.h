#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "worker/quantizer/grid.h"

namespace heroq {

// Codes [rows, columns] of `weight` rounded to the nearest point of its grid, ties to even, clamped to
// 0..max_code. The float32 operations are those of compressed-tensors' quantize: clamp(w / s + (z - middle)),
// round, so the codes are its codes.
std::vector<uint8_t> RoundToGrid(absl::Span<const float> weight, const ScaleGrid& grid);

// The nearest points s (q - z) themselves [rows, columns], for a grid with free zero points, which need not
// be inside the range of codes.
std::vector<float> RoundToFreeGrid(absl::Span<const float> weight, const ScaleGrid& grid);

}  // namespace heroq
