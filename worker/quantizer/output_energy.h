#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "worker/quantizer/aligned_buffer.h"
#include "worker/quantizer/kernels.h"

namespace heroq {

// tr(M H M^T) for matrices M [rows, inputs] over one H = sum x^T x: the sum over the calibration tokens of
// ||M x||^2. With M a weight it is the energy of a linear's output, with M its error the squared error of the
// output. Single-threaded, deterministic; immutable and thread-safe once made.
class OutputEnergy {
 public:
  // Reads the lower triangle of `second_moment` [inputs, inputs] row-major. `kernels` outlives the object.
  OutputEnergy(const Kernels& kernels, absl::Span<const float> second_moment, int64_t inputs);

  // Float32 products, summed in float64. `matrix` [rows, inputs] row-major.
  double Of(absl::Span<const float> matrix, int64_t rows) const;

 private:
  // The tile of inputs [begin, begin + depth) and columns from 8 * tile.
  float* Tile(int64_t begin, int64_t tile);

  const Kernels& kernels_;
  const int64_t inputs_;
  // H folded onto its lower triangle: entries below the diagonal twice, in tiles in the order products use
  // them.
  AlignedBuffer<float> folded_;
};

}  // namespace heroq
