#pragma once

#include <cstdint>

namespace heroq {

// The inner loops of AddBf16Gram, compiled for AVX512-BF16. This header and its source use nothing with
// inline functions from elsewhere: a copy of one compiled for these instructions could be linked into code
// that runs without them.

inline constexpr int64_t kGramStrip = 48;  // features; a strip of one token block fits the first-level cache
inline constexpr int64_t kGramBlockTokens =
    256;  // tokens summed in registers before they are added to memory
inline constexpr int64_t kGramPairs = kGramBlockTokens / 2;

// Strips whose products are summed together, and the side of their square of sums.
inline constexpr int64_t kGramSquare = 4;
inline constexpr int64_t kGramSide = kGramSquare * kGramStrip;

// Word (pair, feature) holds that feature of tokens 2 pair and 2 pair + 1: what VDPBF16PS multiplies at once.
struct GramStrip {
  uint32_t words[kGramPairs][kGramStrip];
};

// Packs features [feature, feature + kGramStrip) of at most kGramBlockTokens rows of bfloat16; zeros past
// either end.
void PackGramStrip(const uint16_t* rows, int64_t tokens, int64_t feature, int64_t features, GramStrip& strip);

// out [kGramStrip, kGramStrip], rows kGramSide apart, += left^T right over the first `pairs` of the block.
void AddGramStrips(const GramStrip& left, const GramStrip& right, int64_t pairs, float* out);

// The sum of a[i] * b[i], products and sums in float64.
double DotProduct(const float* a, const float* b, int64_t length);

}  // namespace heroq
