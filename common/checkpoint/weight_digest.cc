#include "common/checkpoint/weight_digest.h"

#include <vector>

#include "common/blob/sha256.h"
#include "common/quant/half.h"

namespace heroq {
namespace {

template <typename T>
absl::string_view BytesOf(absl::Span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

std::string WeightDigest(absl::Span<const int32_t> packed_codes, absl::Span<const float> scales,
                         absl::Span<const uint8_t> zero_points) {
  Sha256 hash;
  hash.Update(BytesOf(packed_codes));
  hash.Update(BytesOf(scales));
  hash.Update(BytesOf(zero_points));
  return hash.Finish();
}

std::string WeightDigest(const QuantizedLinear& linear) {
  std::vector<float> scales;
  const bool bf16 = linear.scheme.scale_type == ScaleType::kBf16;
  for (const uint16_t bits : linear.scales) scales.push_back(bf16 ? Bf16ToFloat(bits) : F16ToFloat(bits));
  std::vector<uint8_t> zero_points = linear.zero_points;
  if (linear.scheme.symmetric) {
    zero_points.assign(scales.size(), static_cast<uint8_t>(linear.scheme.middle_code()));
  }
  return WeightDigest(linear.packed_codes, scales, zero_points);
}

}  // namespace heroq
