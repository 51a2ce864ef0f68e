#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>

#include "absl/status/statusor.h"
#include "worker/calibration/layer_statistics.h"

namespace heroq {

// LayerStatistics as they travel: only the upper triangle of the symmetric matrix, row by row.
struct PackedStatistics {
  at::Tensor upper;  // float32 [in * (in + 1) / 2], CPU, contiguous
  int64_t token_count = 0;
  at::Tensor activations = {};  // kept rows [rows, in]; undefined without any
  std::map<LinearRole, double> output_energies = {};
};

// Where element [row, column] of a matrix with `side` columns is in its packed upper triangle, row <= column.
constexpr int64_t UpperIndex(int64_t row, int64_t column, int64_t side) {
  return row * side - row * (row + 1) / 2 + column;
}

// Reads only the upper triangle of `statistics.second_moment`. Any device.
PackedStatistics Pack(const LayerStatistics& statistics);

// The full symmetric matrix on the CPU. INTERNAL when the length of `upper` is no triangular number.
absl::StatusOr<LayerStatistics> Unpack(const PackedStatistics& packed);

// One node of the fixed tree (common/model/shard_tree.h): element-wise float32(float64(left) +
// float64(right)), added into `left`; kept rows of `right` behind those of `left`. INTERNAL when the sizes,
// or the linears whose energies were counted, differ.
absl::Status AddRight(PackedStatistics& left, const PackedStatistics& right);

}  // namespace heroq
