#include "worker/quantizer/reverse_cholesky.h"

#include <algorithm>

#include "worker/quantizer/aligned_buffer.h"

namespace heroq {
namespace {

// Rows of S found before the rest of the matrix is updated with them: deep enough to run at the speed of the
// tile kernel.
constexpr int64_t kPanel = 4 * kDiagonalBlock;

// The kernels of one element type under common names.
template <typename T>
struct TypedKernels;

template <>
struct TypedKernels<float> {
  explicit TypedKernels(const Kernels& kernels)
      : multiply_tile(kernels.multiply_tile_f32),
        solve_tile(kernels.solve_tile_f32),
        factor_block(kernels.factor_block_f32) {}
  decltype(Kernels::multiply_tile_f32) multiply_tile;
  decltype(Kernels::solve_tile_f32) solve_tile;
  decltype(Kernels::factor_block_f32) factor_block;
};

template <>
struct TypedKernels<double> {
  explicit TypedKernels(const Kernels& kernels)
      : multiply_tile(kernels.multiply_tile_f64),
        solve_tile(kernels.solve_tile_f64),
        factor_block(kernels.factor_block_f64) {}
  decltype(Kernels::multiply_tile_f64) multiply_tile;
  decltype(Kernels::solve_tile_f64) solve_tile;
  decltype(Kernels::factor_block_f64) factor_block;
};

// Right-looking over panels of 192 rows from the bottom; inside a panel, right-looking over blocks of 48.
template <typename T>
class ReverseFactorisation {
 public:
  ReverseFactorisation(const Kernels& kernels, int64_t size, T* matrix)
      : kernels_(kernels),
        size_(size),
        matrix_(matrix),
        strips_(size * kPanel),
        tiles_(size * kPanel),
        negated_(kDiagonalBlock * kDiagonalBlock) {}

  bool Run() {
    for (int64_t end = size_; end > 0; end -= kPanel) {
      const int64_t begin = std::max<int64_t>(0, end - kPanel);
      for (int64_t block = end - kDiagonalBlock; block >= begin; block -= kDiagonalBlock) {
        if (!kernels_.factor_block(Row(block) + block, size_)) return false;
        PackDiagonal(block);
        for (int64_t column = 0; column < block; column += kLanes) SolveStrip(block, begin, column);
        Update(begin, block, block - begin, kDiagonalBlock);
      }
      Update(0, begin, 0, end - begin);
    }
    return true;
  }

 private:
  static constexpr int64_t kLanes = kStripBytes / static_cast<int64_t>(sizeof(T));

  T* Row(int64_t row) { return matrix_ + row * size_; }
  // Rows of the current panel (counted from its begin) for columns [column, column + kLanes):
  // [kPanel][kLanes].
  T* Strip(int64_t column) { return strips_.data() + column * kPanel; }
  // The same rows, negated, for columns [column, column + 8): [kPanel][8].
  T* Tile(int64_t column) { return tiles_.data() + column * kPanel; }

  // negated_: per tile of 8 rows of the block, -S[k][row] of the rows k below the tile.
  void PackDiagonal(int64_t block) {
    for (int64_t tile = 0; tile < kDiagonalBlock; tile += kTileColumns) {
      T* packed = negated_.data() + tile * kDiagonalBlock;
      for (int64_t k = tile + kTileColumns; k < kDiagonalBlock; ++k) {
        for (int64_t r = 0; r < kTileColumns; ++r) *packed++ = -Row(block + k)[block + tile + r];
      }
    }
  }

  // Rows [block, block + 48) of S for kLanes columns, left in the matrix and in both packed forms.
  void SolveStrip(int64_t block, int64_t panel, int64_t column) {
    T* strip = Strip(column) + (block - panel) * kLanes;
    for (int64_t tile = kDiagonalBlock - kTileColumns; tile >= 0; tile -= kTileColumns) {
      T* rows = Row(block + tile) + column;
      const int64_t below = tile + kTileColumns;
      kernels_.multiply_tile(kDiagonalBlock - below, negated_.data() + tile * kDiagonalBlock,
                             strip + below * kLanes, rows, size_);
      kernels_.solve_tile(Row(block + tile) + block + tile, size_, rows, size_);
      for (int64_t r = 0; r < kTileColumns; ++r)
        std::copy_n(rows + r * size_, kLanes, strip + (tile + r) * kLanes);
    }
    for (int64_t first = 0; first < kLanes; first += kTileColumns) {
      T* packed = Tile(column + first) + (block - panel) * kTileColumns;
      for (int64_t c = 0; c < kDiagonalBlock; ++c) {
        for (int64_t r = 0; r < kTileColumns; ++r)
          packed[c * kTileColumns + r] = -strip[c * kLanes + first + r];
      }
    }
  }

  // A[j][i] -= sum over `depth` packed rows from `offset` of S[c][j] S[c][i], for rows j in [begin, end) and
  // i <= j.
  void Update(int64_t begin, int64_t end, int64_t offset, int64_t depth) {
    for (int64_t column = 0; column < end; column += kLanes) {
      const T* strip = Strip(column) + offset * kLanes;
      for (int64_t row = std::max(begin, column); row < end; row += kTileColumns) {
        kernels_.multiply_tile(depth, Tile(row) + offset * kTileColumns, strip, Row(row) + column, size_);
      }
    }
  }

  const TypedKernels<T> kernels_;
  const int64_t size_;
  T* const matrix_;
  AlignedBuffer<T> strips_;
  AlignedBuffer<T> tiles_;
  AlignedBuffer<T> negated_;
};

}  // namespace

bool FactorReverse(const Kernels& kernels, int64_t size, float* matrix) {
  return ReverseFactorisation<float>(kernels, size, matrix).Run();
}

bool FactorReverse(const Kernels& kernels, int64_t size, double* matrix) {
  return ReverseFactorisation<double>(kernels, size, matrix).Run();
}

}  // namespace heroq
