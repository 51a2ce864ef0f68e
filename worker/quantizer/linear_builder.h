#pragma once

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "common/quant/quantized_linear.h"
#include "worker/quantizer/grid.h"

namespace heroq {

// The stored form of rows [first_row, first_row + rows) of a grid and their codes [rows, columns].
QuantizedLinear BuildQuantizedLinear(const std::string& name, const ScaleGrid& grid, int64_t first_row,
                                     int64_t rows, absl::Span<const uint8_t> codes);

}  // namespace heroq
