#include "worker/quantizer/strips.h"

#include <algorithm>

namespace heroq {

void PackStrip(const float* matrix, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
               float* strip) {
  const int64_t lanes = std::min(kStripRows, rows - first_row);
  const float* source = matrix + first_row * columns;
  for (int64_t k = 0; k < columns; ++k) {
    const int64_t column = order == nullptr ? k : order[k];
    float* target = strip + k * kStripRows;
    for (int64_t lane = 0; lane < lanes; ++lane) target[lane] = source[lane * columns + column];
    std::fill(target + lanes, target + kStripRows, 0.0f);
  }
}

void UnpackCodes(const uint8_t* strip, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
                 uint8_t* codes) {
  const int64_t lanes = std::min(kStripRows, rows - first_row);
  uint8_t* target = codes + first_row * columns;
  for (int64_t k = 0; k < columns; ++k) {
    const int64_t column = order == nullptr ? k : order[k];
    const uint8_t* source = strip + k * kStripRows;
    for (int64_t lane = 0; lane < lanes; ++lane) target[lane * columns + column] = source[lane];
  }
}

}  // namespace heroq
