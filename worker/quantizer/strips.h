#pragma once

#include <cstdint>

#include "worker/quantizer/kernels.h"

namespace heroq {

// Strips that hold `rows` rows; the last may be partly empty.
inline int64_t StripCount(int64_t rows) { return (rows + kStripRows - 1) / kStripRows; }

// Copies rows [first_row, first_row + 48) of `matrix` [rows, columns] row-major into `strip` [columns][48],
// column k of the strip being column order[k] of the matrix (k itself when `order` is null). Lanes past the
// last row become zero.
void PackStrip(const float* matrix, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
               float* strip);

// The inverse for codes: strip [columns][48] back into `codes` [rows, columns].
void UnpackCodes(const uint8_t* strip, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
                 uint8_t* codes);

}  // namespace heroq
