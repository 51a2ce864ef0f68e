#include "worker/quantizer/grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "worker/quantizer/aligned_buffer.h"
#include "worker/quantizer/strips.h"

namespace heroq {
namespace {

constexpr int kShrinkSteps = 25;
constexpr float kShrinkStep = 0.02f;
constexpr double kImportanceFloor = 1e-6;
// The damped variant of DASH-Q.
constexpr float kDampedStep = 0.5f;
constexpr float kVarianceDamping = 0.01f;

// Shares of the min-max range that are tried, the whole first.
std::vector<float> Shares(GridSearch search) {
  if (search == GridSearch::kMinMax) return {1.0f};
  if (search == GridSearch::kLeastSquares) return {1.0f, 0.9f, 0.8f, 0.7f, 0.6f, 0.45f};
  std::vector<float> shares = {1.0f};
  for (int i = 1; i <= kShrinkSteps; ++i) shares.push_back(1.0f - static_cast<float>(i) * kShrinkStep);
  return shares;
}

std::vector<float> FlooredImportance(absl::Span<const float> importance, int64_t columns) {
  const double sum = std::accumulate(importance.begin(), importance.end(), 0.0);
  if (importance.empty() || !(sum > 0)) return std::vector<float>(columns, 1.0f);
  const float floor = static_cast<float>(kImportanceFloor * sum / static_cast<double>(columns));
  std::vector<float> floored(importance.begin(), importance.end());
  for (float& value : floored) value = std::max(value, floor);
  return floored;
}

// Machine epsilon of the stored type: compressed-tensors' choice for groups without range.
float ScaleWithoutRange(ScaleType type) { return type == ScaleType::kBf16 ? 0.0078125f : 0.0009765625f; }

float LargestScale(ScaleType type) { return type == ScaleType::kBf16 ? 3.3895314e38f : 65504.0f; }

}  // namespace

absl::StatusOr<ScaleGrid> MakeGrid(const Kernels& kernels, absl::Span<const float> weight, int64_t rows,
                                   int64_t columns, const QuantScheme& scheme, const GridOptions& options,
                                   const std::string& name) {
  const int64_t groups = scheme.groups(columns);
  const int64_t length = scheme.group_length(columns);
  ScaleGrid grid{scheme, rows, columns, {}, {}, {}};
  const bool free = options.search == GridSearch::kLeastSquares && options.least_squares.free_offset;
  grid.scales.resize(rows * groups);
  if (free) {
    grid.free_zeros.resize(rows * groups);
  } else {
    grid.zeros.resize(rows * groups);
  }
  grid.shrink.resize(rows * groups);

  const std::vector<float> shares = Shares(options.search);
  const std::vector<float> importance = FlooredImportance(options.importance, columns);
  AlignedBuffer<float> strip(columns * kStripRows);
  AlignedBuffer<float> found(3 * kStripRows);
  SearchScalesArguments arguments{};
  arguments.columns = length;
  arguments.shares = shares.data();
  arguments.share_count = static_cast<int64_t>(shares.size());
  arguments.max_code = static_cast<float>(scheme.max_code());
  arguments.middle_code = static_cast<float>(scheme.middle_code());
  arguments.symmetric = scheme.symmetric;
  arguments.rounding = scheme.scale_type == ScaleType::kBf16 ? ScaleRounding::kBf16 : ScaleRounding::kF16;
  arguments.zero_range_scale = ScaleWithoutRange(scheme.scale_type);
  arguments.rounds = options.least_squares.rounds;
  arguments.step = options.least_squares.damped ? kDampedStep : 1.0f;
  arguments.damping = options.least_squares.damped ? kVarianceDamping : 0.0f;
  arguments.free_offset = free;
  arguments.scale = found.data();
  arguments.zero = found.data() + kStripRows;
  arguments.chosen = found.data() + 2 * kStripRows;
  const auto search =
      options.search == GridSearch::kLeastSquares ? kernels.fit_scales : kernels.search_scales;
  const float largest = LargestScale(scheme.scale_type);
  for (int64_t first = 0; first < rows; first += kStripRows) {
    PackStrip(weight.data(), rows, columns, first, nullptr, strip.data());
    for (int64_t group = 0; group < groups; ++group) {
      arguments.weight = strip.data() + group * length * kStripRows;
      arguments.importance = importance.data() + group * length;
      search(arguments);
      for (int64_t lane = 0; lane < std::min(kStripRows, rows - first); ++lane) {
        const int64_t at = (first + lane) * groups + group;
        grid.scales[at] = arguments.scale[lane];
        if (free) {
          grid.free_zeros[at] = arguments.zero[lane];
        } else {
          grid.zeros[at] = static_cast<uint8_t>(arguments.zero[lane]);
        }
        grid.shrink[at] = arguments.chosen[lane];
        if (!(grid.scales[at] > 0) || grid.scales[at] > largest) {
          return MakeError(
              Reason::kNumericalFailure,
              absl::StrCat(name, ": the scale of row ", first + lane, ", group ", group, " is ",
                           grid.scales[at], ", which its stored type cannot hold (largest ", largest, ")"));
        }
      }
    }
  }
  return grid;
}

double MeanShrink(const ScaleGrid& grid, int64_t first_row, int64_t rows) {
  const auto begin = grid.shrink.begin() + first_row * grid.groups();
  const int64_t count = rows * grid.groups();
  return std::accumulate(begin, begin + count, 0.0) / static_cast<double>(count);
}

}  // namespace heroq
