#include "worker/quantizer/rtn.h"

#include <algorithm>
#include <cmath>

namespace heroq {

std::vector<uint8_t> RoundToGrid(absl::Span<const float> weight, const ScaleGrid& grid) {
  // Adding and taking away 1.5 * 2^23 rounds to nearest even; the values are clamped to a code's range
  // before.
  constexpr float kRound = 12582912.0f;
  std::vector<uint8_t> codes(weight.size());
  const int64_t groups = grid.groups();
  const int64_t length = grid.scheme.group_length(grid.columns);
  const int32_t middle = grid.scheme.middle_code();
  const float low = static_cast<float>(-middle);
  const float high = static_cast<float>(grid.scheme.max_code() - middle);
  for (int64_t group = 0; group < grid.rows * groups; ++group) {
    const float scale = grid.scales[group];
    const float zero = static_cast<float>(grid.zeros[group] - middle);
    const float* source = weight.data() + group * length;
    uint8_t* target = codes.data() + group * length;
    for (int64_t i = 0; i < length; ++i) {
      const float clamped = std::min(std::max(source[i] / scale + zero, low), high);
      const float rounded = (clamped + kRound) - kRound;
      target[i] = static_cast<uint8_t>(static_cast<int32_t>(rounded) + middle);
    }
  }
  return codes;
}

std::vector<float> RoundToFreeGrid(absl::Span<const float> weight, const ScaleGrid& grid) {
  std::vector<float> values(weight.size());
  const int64_t groups = grid.groups();
  const int64_t length = grid.scheme.group_length(grid.columns);
  const auto high = static_cast<float>(grid.scheme.max_code());
  for (int64_t group = 0; group < grid.rows * groups; ++group) {
    const float inverse = 1.0f / grid.scales[group];
    const float zero = grid.free_zeros[group];
    for (int64_t i = group * length; i < (group + 1) * length; ++i) {
      const float code = std::nearbyint(std::min(std::max(weight[i] * inverse + zero, 0.0f), high));
      values[i] = (code - zero) * grid.scales[group];
    }
  }
  return values;
}

}  // namespace heroq
