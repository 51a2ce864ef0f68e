#pragma once

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// SHA-256, lower-case hex, of what a quantized weight is, whatever its format: codes [out, in] as PackRows
// packs them; scales [out, groups] as little-endian float32; zero points [out, groups], a byte each, also of
// a symmetric weight. Who quantized a transformed weight states it, since no tensor of the source can be
// compared with it.
std::string WeightDigest(absl::Span<const int32_t> packed_codes, absl::Span<const float> scales,
                         absl::Span<const uint8_t> zero_points);
std::string WeightDigest(const QuantizedLinear& linear);

}  // namespace heroq
