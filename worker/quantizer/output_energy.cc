#include "worker/quantizer/output_energy.h"

#include <algorithm>
#include <numeric>

#include "worker/quantizer/strips.h"

namespace heroq {

namespace {

// Depth of one product: a strip of this many inputs stays in the first-level cache while its columns pass.
constexpr int64_t kDepth = 128;

int64_t Tiles(int64_t inputs) { return (inputs + kTileColumns - 1) / kTileColumns; }

// Where the tiles of the inputs from `begin`, a multiple of kDepth, start: earlier slices have a tile of
// [kDepth][8] for every 8 inputs from their own begin.
int64_t SliceOffset(int64_t begin, int64_t tiles) {
  const int64_t slice = begin / kDepth;
  return (slice * tiles - slice * (slice - 1) / 2 * (kDepth / kTileColumns)) * kDepth * kTileColumns;
}

}  // namespace

OutputEnergy::OutputEnergy(const Kernels& kernels, absl::Span<const float> second_moment, int64_t inputs)
    : kernels_(kernels),
      inputs_(inputs),
      folded_(SliceOffset((inputs + kDepth - 1) / kDepth * kDepth, Tiles(inputs))) {
  for (int64_t j = 0; j < inputs; ++j) {
    const float* row = second_moment.data() + j * inputs;
    for (int64_t begin = 0; begin <= j; begin += kDepth) {
      float* target = Tile(begin, j / kTileColumns) + j % kTileColumns;
      const int64_t end = std::min(begin + kDepth, j + 1);
      for (int64_t i = begin; i < end; ++i) target[(i - begin) * kTileColumns] = i < j ? 2 * row[i] : row[i];
    }
  }
}

float* OutputEnergy::Tile(int64_t begin, int64_t tile) {
  return folded_.data() + SliceOffset(begin, Tiles(inputs_)) +
         (tile - begin / kTileColumns) * kDepth * kTileColumns;
}

double OutputEnergy::Of(absl::Span<const float> matrix, int64_t rows) const {
  const int64_t tiles = Tiles(inputs_);
  AlignedBuffer<float> strip(tiles * kTileColumns * kStripRows);
  AlignedBuffer<float> products(tiles * kTileColumns * kStripRows);
  // A sum for every lane: one sum would wait for itself at every step.
  double energy[kStripRows] = {};
  for (int64_t row = 0; row < rows; row += kStripRows) {
    PackStrip(matrix.data(), rows, inputs_, row, nullptr, strip.data());
    std::fill_n(products.data(), products.size(), 0.0f);
    for (int64_t begin = 0; begin < inputs_; begin += kDepth) {
      const float* folded = folded_.data() + SliceOffset(begin, tiles);
      for (int64_t tile = begin / kTileColumns; tile < tiles; ++tile, folded += kDepth * kTileColumns) {
        const int64_t end = std::min(begin + kDepth, (tile + 1) * kTileColumns);
        kernels_.multiply_tile_f32(end - begin, folded, strip.data() + begin * kStripRows,
                                   products.data() + tile * kTileColumns * kStripRows, kStripRows);
      }
    }
    for (int64_t at = 0; at < products.size(); at += kStripRows) {
      for (int64_t lane = 0; lane < kStripRows; ++lane)
        energy[lane] += static_cast<double>(products[at + lane]) * strip[at + lane];
    }
  }
  return std::accumulate(energy, energy + kStripRows, 0.0);
}

}  // namespace heroq
