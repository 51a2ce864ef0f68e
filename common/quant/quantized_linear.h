#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// One quantized linear as bytes, independent of any checkpoint format: what a worker hands in and assembly
// writes. What(o, i) = scale(o, g) * (code(o, i) - zero_point(o, g)), g = i / group_length. Columns are in
// the original order also with act_order (static groups).
struct QuantizedLinear {
  std::string name;
  int64_t out_features = 0;
  int64_t in_features = 0;
  QuantScheme scheme;
  std::vector<int32_t> packed_codes;  // PackRows of codes [out, in]
  std::vector<uint16_t> scales;       // bit patterns of scheme.scale_type, [out, groups]
  std::vector<uint8_t> zero_points;   // [out, groups]; empty when symmetric

  int64_t groups() const { return scheme.groups(in_features); }
};

// Sizes of the three arrays, finite positive scales, zero points in range. INTERNAL naming linear and rule.
absl::Status ValidateQuantizedLinear(const QuantizedLinear& linear);

// float32 [out * in], row-major; exact: scale and code have few bits. Requires a valid linear.
std::vector<float> Dequantize(const QuantizedLinear& linear);

}  // namespace heroq
