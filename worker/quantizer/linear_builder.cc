#include "worker/quantizer/linear_builder.h"

#include "common/quant/half.h"
#include "common/quant/packing.h"

namespace heroq {

QuantizedLinear BuildQuantizedLinear(const std::string& name, const ScaleGrid& grid, int64_t first_row,
                                     int64_t rows, absl::Span<const uint8_t> codes) {
  QuantizedLinear linear;
  linear.name = name;
  linear.out_features = rows;
  linear.in_features = grid.columns;
  linear.scheme = grid.scheme;
  linear.packed_codes = PackRows(codes, rows, grid.columns, grid.scheme.weight_bits);
  const int64_t begin = first_row * grid.groups();
  const int64_t end = begin + rows * grid.groups();
  for (int64_t at = begin; at < end; ++at) {
    linear.scales.push_back(grid.scheme.scale_type == ScaleType::kBf16 ? FloatToBf16(grid.scales[at])
                                                                       : FloatToF16(grid.scales[at]));
  }
  if (!grid.scheme.symmetric) linear.zero_points.assign(grid.zeros.begin() + begin, grid.zeros.begin() + end);
  return linear;
}

}  // namespace heroq
