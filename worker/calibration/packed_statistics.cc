#include "worker/calibration/packed_statistics.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// The n with n * (n + 1) / 2 = length, or -1.
int64_t TriangleSide(int64_t length) {
  const auto side =
      static_cast<int64_t>((std::sqrt(8.0 * static_cast<double>(length) + 1.0) - 1.0) / 2.0 + 0.5);
  return side * (side + 1) / 2 == length ? side : -1;
}

// Mirrors by tiles, so that neither side strides over whole rows.
void MirrorUpper(float* matrix, int64_t side) {
  constexpr int64_t kTile = 32;
  for (int64_t row_tile = 0; row_tile < side; row_tile += kTile) {
    for (int64_t column_tile = row_tile; column_tile < side; column_tile += kTile) {
      const int64_t row_end = std::min(row_tile + kTile, side);
      const int64_t column_end = std::min(column_tile + kTile, side);
      for (int64_t row = row_tile; row < row_end; ++row) {
        for (int64_t column = std::max(column_tile, row + 1); column < column_end; ++column) {
          matrix[column * side + row] = matrix[row * side + column];
        }
      }
    }
  }
}

}  // namespace

PackedStatistics Pack(const LayerStatistics& statistics) {
  const at::Tensor matrix = statistics.second_moment.to(at::kCPU).contiguous();
  const int64_t side = matrix.size(0);
  PackedStatistics packed{at::empty({side * (side + 1) / 2}, at::kFloat), statistics.token_count};
  packed.output_energies = statistics.output_energies;
  if (statistics.kept != nullptr) packed.activations = statistics.kept->rows();
  const float* from = matrix.const_data_ptr<float>();
  float* to = packed.upper.mutable_data_ptr<float>();
  for (int64_t row = 0; row < side; ++row)
    to = std::copy(from + row * side + row, from + (row + 1) * side, to);
  return packed;
}

absl::StatusOr<LayerStatistics> Unpack(const PackedStatistics& packed) {
  const int64_t side = TriangleSide(packed.upper.numel());
  if (side < 0) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("statistics: ", packed.upper.numel(), " values are no upper triangle"));
  }
  LayerStatistics statistics{at::empty({side, side}, at::kFloat), packed.token_count};
  statistics.output_energies = packed.output_energies;
  const float* from = packed.upper.const_data_ptr<float>();
  float* to = statistics.second_moment.mutable_data_ptr<float>();
  for (int64_t row = 0; row < side; ++row) {
    std::copy(from, from + side - row, to + row * side + row);
    from += side - row;
  }
  MirrorUpper(to, side);
  if (packed.activations.defined()) {
    statistics.kept = std::make_shared<const KeptActivations>(packed.activations);
  }
  return statistics;
}

absl::Status AddRight(PackedStatistics& left, const PackedStatistics& right) {
  const int64_t length = left.upper.numel();
  if (right.upper.numel() != length) {
    return MakeError(Reason::kInternal, absl::StrCat("statistics of ", length, " and ", right.upper.numel(),
                                                     " values do not belong together"));
  }
  float* sum = left.upper.mutable_data_ptr<float>();
  const float* other = right.upper.const_data_ptr<float>();
  // A sum of two float32 in float64 that is rounded to float32 is their sum in float32: 53 bits are more than
  // twice 24 and two (Figueroa, When is double rounding innocuous?, 1995).
  for (int64_t i = 0; i < length; ++i) sum[i] += other[i];
  left.token_count += right.token_count;
  const auto same_role = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (!std::equal(left.output_energies.begin(), left.output_energies.end(), right.output_energies.begin(),
                  right.output_energies.end(), same_role)) {
    return MakeError(Reason::kInternal, "statistics with energies of other outputs do not belong together");
  }
  for (auto& [role, energy] : left.output_energies) energy += right.output_energies.at(role);
  if (left.activations.defined() != right.activations.defined()) {
    return MakeError(Reason::kInternal,
                     "statistics with and without kept activations do not belong together");
  }
  if (left.activations.defined()) left.activations = at::cat({left.activations, right.activations}, 0);
  return absl::OkStatus();
}

}  // namespace heroq
