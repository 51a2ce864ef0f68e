#pragma once

#include <cstdint>
#include <vector>

namespace heroq {

// A row-major matrix [rows, columns] as [columns, rows].
template <typename T>
std::vector<T> Transpose(const std::vector<T>& values, int64_t rows, int64_t columns) {
  std::vector<T> transposed(values.size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      transposed[column * rows + row] = values[row * columns + column];
    }
  }
  return transposed;
}

}  // namespace heroq
