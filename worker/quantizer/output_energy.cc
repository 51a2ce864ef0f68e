#include "worker/quantizer/output_energy.h"

#include <algorithm>

#include "worker/quantizer/hessian_factor.h"
#include "worker/quantizer/strips.h"

namespace heroq {

OutputEnergy::OutputEnergy(const Kernels& kernels, absl::Span<const float> second_moment, int64_t inputs)
    : kernels_(kernels),
      inputs_(inputs),
      folded_(FeedbackOffset((inputs + kTileColumns - 1) / kTileColumns)) {
  for (int64_t j = 0; j < inputs; ++j) {
    const float* row = second_moment.data() + j * inputs;
    float* target = folded_.data() + FeedbackOffset(j / kTileColumns) + j % kTileColumns;
    for (int64_t i = 0; i < j; ++i) target[i * kTileColumns] = 2 * row[i];
    target[j * kTileColumns] = row[j];
  }
}

double OutputEnergy::Of(absl::Span<const float> matrix, int64_t rows) const {
  // Depth of one product: a strip of this many inputs stays in the first-level cache while its columns pass.
  constexpr int64_t kDepth = 128;
  const int64_t tiles = (inputs_ + kTileColumns - 1) / kTileColumns;
  AlignedBuffer<float> strip(tiles * kTileColumns * kStripRows);
  AlignedBuffer<float> products(tiles * kTileColumns * kStripRows);
  double energy = 0;
  for (int64_t row = 0; row < rows; row += kStripRows) {
    PackStrip(matrix.data(), rows, inputs_, row, nullptr, strip.data());
    std::fill_n(products.data(), products.size(), 0.0f);
    for (int64_t begin = 0; begin < inputs_; begin += kDepth) {
      for (int64_t tile = begin / kTileColumns; tile < tiles; ++tile) {
        const int64_t end = std::min(begin + kDepth, (tile + 1) * kTileColumns);
        kernels_.multiply_tile_f32(end - begin, folded_.data() + FeedbackOffset(tile) + begin * kTileColumns,
                                   strip.data() + begin * kStripRows,
                                   products.data() + tile * kTileColumns * kStripRows, kStripRows);
      }
    }
    for (int64_t at = 0; at < products.size(); ++at) energy += static_cast<double>(products[at]) * strip[at];
  }
  return energy;
}

}  // namespace heroq
