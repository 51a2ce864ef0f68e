#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/quant/quant_scheme.h"
#include "worker/quantizer/kernels.h"

namespace heroq {

// The grid every weight of a linear is rounded to, fixed before any weight is: weight (o, i) of group g = i /
// group_length becomes scales[o, g] * (code - zeros[o, g]), code in 0..max_code.
struct ScaleGrid {
  QuantScheme scheme;
  int64_t rows = 0;
  int64_t columns = 0;
  // [rows, groups]. Positive, finite, and exactly representable in scheme.scale_type unless offsets are free.
  std::vector<float> scales;
  // [rows, groups]. The middle code everywhere on a symmetric grid.
  std::vector<uint8_t> zeros;
  // [rows, groups]. The share of the min-max range that the grid spans; 1 without search. A fit may exceed 1.
  std::vector<float> shrink;
  // [rows, groups]. Real zero points instead of `zeros`, with LeastSquaresOptions::free_offset; else empty.
  std::vector<float> free_zeros = {};

  int64_t groups() const { return scheme.groups(columns); }
};

// How scale and zero point of a group are chosen. kShrink and kLeastSquares minimise sum_j h_j (w_j -
// what_j)^2 over the group and row, w rounded to nearest on the stored scale; the first candidate wins ties.
enum class GridSearch {
  kMinMax,  // the range of the weights
  // The best of the min-max range times 1, 0.98 ... 0.5, zero point kept.
  kShrink,
  // DASH-Q (arXiv 2604.13806) with a zero point that can be stored: from several shares of the min-max range,
  // rounds of assigning codes and weighted least squares over scale and free offset, then over the scale
  // alone for the two integer zero points next to that offset, and for the min-max zero point. A symmetric
  // grid has only the last. The six best starts after two rounds of the scale go through the others. Never
  // worse than kMinMax.
  kLeastSquares,
};

struct LeastSquaresOptions {
  // At least 1. Of undamped rounds a free offset that only leads to integer zero points takes half, since
  // each of those has its own rounds afterwards.
  int rounds = 9;
  // The paper's blend: half of each refit is taken, and 0.01 is added to the variance of the codes (to their
  // mean square about a zero point that is held). Undamped rounds never raise the loss.
  bool damped = false;
  // Any real zero point, as the paper has it, and a scale that is not rounded: no packed format stores them.
  // Of an asymmetric grid.
  bool free_offset = false;
};

struct GridOptions {
  GridSearch search = GridSearch::kShrink;
  // h: diag H [columns], or empty for h = 1. Not used by kMinMax. Entries are floored at 1e-6 of the mean, so
  // that inputs no calibration token used do not lose all weight; all zero counts as empty.
  absl::Span<const float> importance = {};
  LeastSquaresOptions least_squares = {};
};

// Grid of `weight` [rows, columns] row-major. The range of a group always holds zero: asymmetric s = (max -
// min) / max_code and z = round(-min / s); symmetric s = 2 amax / max_code and z the middle code. These are
// the numbers compressed-tensors' calculate_qparams gives (z from the scale before it is rounded to its
// stored type). A group of zeros gets the machine epsilon of the stored type as scale and the middle code as
// zero point. The scheme must fit (ValidateScheme). NUMERICAL_FAILURE when a scale does not fit its stored
// type; `name` is the linear in messages.
absl::StatusOr<ScaleGrid> MakeGrid(const Kernels& kernels, absl::Span<const float> weight, int64_t rows,
                                   int64_t columns, const QuantScheme& scheme, const GridOptions& options,
                                   const std::string& name);

// Mean of grid.shrink over the groups of `rows` rows.
double MeanShrink(const ScaleGrid& grid, int64_t first_row, int64_t rows);

}  // namespace heroq
