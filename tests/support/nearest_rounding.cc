#include "tests/support/nearest_rounding.h"

#include <algorithm>
#include <cmath>

#include "common/quant/half.h"
#include "common/quant/packing.h"

namespace heroq {

NearestRounding RoundToNearest(const std::string& name, const std::vector<float>& weight,
                               int64_t out_features, int64_t in_features, const QuantScheme& scheme) {
  NearestRounding result;
  QuantizedLinear& linear = result.linear;
  linear = {name, out_features, in_features, scheme, {}, {}, {}};
  std::vector<uint8_t> codes(weight.size());
  result.rounded.resize(weight.size());
  const int64_t length = scheme.group_length(in_features);
  for (int64_t row = 0; row < out_features; ++row) {
    for (int64_t begin = 0; begin < in_features; begin += length) {
      const float* values = &weight[row * in_features + begin];
      const float low = std::min(0.0f, *std::min_element(values, values + length));
      const float high = std::max(0.0f, *std::max_element(values, values + length));
      const float range = scheme.symmetric ? 2 * std::max(-low, high) : high - low;
      const float wanted = std::max(range / scheme.max_code(), 1e-6f);
      const bool bf16 = scheme.scale_type == ScaleType::kBf16;
      const uint16_t bits = bf16 ? FloatToBf16(wanted) : FloatToF16(wanted);
      const float scale = bf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
      const int zero = scheme.symmetric ? scheme.middle_code()
                                        : std::clamp<int>(std::lround(-low / scale), 0, scheme.max_code());
      linear.scales.push_back(bits);
      if (!scheme.symmetric) linear.zero_points.push_back(static_cast<uint8_t>(zero));
      for (int64_t i = 0; i < length; ++i) {
        const int code = std::clamp<int>(std::lround(values[i] / scale) + zero, 0, scheme.max_code());
        codes[row * in_features + begin + i] = static_cast<uint8_t>(code);
        result.rounded[row * in_features + begin + i] = scale * static_cast<float>(code - zero);
        const double error = static_cast<double>(scale) * (code - zero) - values[i];
        result.squared_error += error * error;
        result.energy += static_cast<double>(values[i]) * values[i];
      }
    }
  }
  linear.packed_codes = PackRows(codes, out_features, in_features, scheme.weight_bits);
  return result;
}

}  // namespace heroq
