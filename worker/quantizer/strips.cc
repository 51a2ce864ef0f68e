#include "worker/quantizer/strips.h"

#include <algorithm>
#include <vector>

namespace heroq {
namespace {

// Sixteen bytes, anywhere in memory.
typedef float Floats __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(16), aligned(1), may_alias));

// The first and the second halves of two vectors, element by element in turn.
Floats First(Floats a, Floats b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
Floats Second(Floats a, Floats b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
Bytes First(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
Bytes Second(Bytes a, Bytes b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// A square of as many vectors as a vector has elements. Interleaving the halves of the square rotates the
// bits of an element's address by one, so log2(kSize) times swap row and column.
template <int kSize, typename Vector>
void TransposeSquare(Vector (&square)[kSize]) {
  for (int step = 1; step < kSize; step *= 2) {
    Vector next[kSize];
#pragma GCC unroll 8
    for (int i = 0; i < kSize / 2; ++i) {
      next[2 * i] = First(square[i], square[i + kSize / 2]);
      next[2 * i + 1] = Second(square[i], square[i + kSize / 2]);
    }
    std::copy_n(next, kSize, square);
  }
}

// Where each column of the matrix is in a strip.
std::vector<int32_t> Places(const int32_t* order, int64_t columns) {
  std::vector<int32_t> places(columns);
  for (int64_t k = 0; k < columns; ++k) places[order == nullptr ? k : order[k]] = static_cast<int32_t>(k);
  return places;
}

}  // namespace

void PackStrip(const float* matrix, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
               float* strip) {
  constexpr int64_t kSquare = 4;
  constexpr int64_t kLine = 16;  // columns of one cache line of a row
  const int64_t lanes = std::min(kStripRows, rows - first_row);
  const float* source = matrix + first_row * columns;
  const std::vector<int32_t> places = Places(order, columns);
  const int64_t whole_lanes = lanes / kSquare * kSquare;
  const int64_t whole_columns = columns / kLine * kLine;
  for (int64_t line = 0; line < whole_columns; line += kLine) {
    // A strip's column is written at once: its place is far from that of the column beside it.
    alignas(64) float packed[kLine * kStripRows];
    for (int64_t lane = 0; lane < whole_lanes; lane += kSquare) {
      for (int64_t column = 0; column < kLine; column += kSquare) {
        Floats square[kSquare];
        for (int64_t i = 0; i < kSquare; ++i)
          square[i] = *reinterpret_cast<const Floats*>(source + (lane + i) * columns + line + column);
        TransposeSquare(square);
        for (int64_t i = 0; i < kSquare; ++i)
          *reinterpret_cast<Floats*>(packed + (column + i) * kStripRows + lane) = square[i];
      }
    }
    for (int64_t column = 0; column < kLine; ++column)
      std::copy_n(packed + column * kStripRows, whole_lanes, strip + places[line + column] * kStripRows);
  }
  for (int64_t column = 0; column < columns; ++column) {
    float* target = strip + places[column] * kStripRows;
    for (int64_t lane = column < whole_columns ? whole_lanes : 0; lane < lanes; ++lane)
      target[lane] = source[lane * columns + column];
    std::fill(target + lanes, target + kStripRows, 0.0f);
  }
}

void UnpackCodes(const uint8_t* strip, int64_t rows, int64_t columns, int64_t first_row, const int32_t* order,
                 uint8_t* codes) {
  constexpr int64_t kSquare = 16;
  const int64_t lanes = std::min(kStripRows, rows - first_row);
  uint8_t* target = codes + first_row * columns;
  const std::vector<int32_t> places = Places(order, columns);
  const int64_t whole_lanes = lanes / kSquare * kSquare;
  const int64_t whole_columns = columns / kSquare * kSquare;
  for (int64_t column = 0; column < whole_columns; column += kSquare) {
    for (int64_t lane = 0; lane < whole_lanes; lane += kSquare) {
      Bytes square[kSquare];
      for (int64_t i = 0; i < kSquare; ++i)
        square[i] = *reinterpret_cast<const Bytes*>(strip + places[column + i] * kStripRows + lane);
      TransposeSquare(square);
      for (int64_t i = 0; i < kSquare; ++i)
        *reinterpret_cast<Bytes*>(target + (lane + i) * columns + column) = square[i];
    }
  }
  for (int64_t column = 0; column < columns; ++column) {
    const uint8_t* source = strip + places[column] * kStripRows;
    for (int64_t lane = column < whole_columns ? whole_lanes : 0; lane < lanes; ++lane)
      target[lane * columns + column] = source[lane];
  }
}

}  // namespace heroq
