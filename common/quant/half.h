#pragma once

#include <cstdint>

namespace heroq {

// IEEE float32 <-> bfloat16 / float16 bit patterns; round to nearest even; NaN stays NaN (quiet), overflow
// becomes Inf.
uint16_t FloatToBf16(float value);
float Bf16ToFloat(uint16_t bits);
uint16_t FloatToF16(float value);
float F16ToFloat(uint16_t bits);

}  // namespace heroq
