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
  // [rows, groups]. Positive, finite, and exactly representable in scheme.scale_type.
  std::vector<float> scales;
  // [rows, groups]. The middle code everywhere on a symmetric grid.
  std::vector<uint8_t> zeros;
  // [rows, groups]. The share of the min-max range that was kept; 1 without search.
  std::vector<float> shrink;

  int64_t groups() const { return scheme.groups(columns); }
};

struct GridOptions {
  // Try shrink factors 1, 0.98 ... 0.5 per group and row and keep the one that minimises sum_j h_j (w_j -
  // what_j)^2 over the group, w rounded to nearest; the larger factor on ties. Otherwise the min-max grid.
  bool search = true;
  // h: diag H [columns], or empty for h = 1. Used by the search only. Entries are floored at 1e-6 of the
  // mean, so that inputs no calibration token used do not lose all weight; all zero counts as empty.
  absl::Span<const float> importance;
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
