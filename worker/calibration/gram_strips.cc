#include "worker/calibration/gram_strips.h"

#include <immintrin.h>

namespace heroq {
namespace {

constexpr int64_t kTileRows = 8;
constexpr int64_t kVectors = kGramStrip / 16;

// 16 features of one token in the low halves of 16 words.
__m512i LoadFeatures(const uint16_t* from, __mmask16 mask) {
  return _mm512_maskz_cvtepu16_epi32(mask, _mm256_maskz_loadu_epi16(mask, from));
}

// out[r][c], rows kGramSide apart, += sum over the block of feature (row + r) of `left` times feature c of
// `right`. The 24 sums, three words of `right` and one of `left` stay in registers.
void AddTile(const GramStrip& left, int64_t row, const GramStrip& right, float* out) {
  __m512 sums[kTileRows][kVectors];
#pragma GCC unroll 8
  for (auto& vectors : sums) {
#pragma GCC unroll 3
    for (__m512& sum : vectors) sum = _mm512_setzero_ps();
  }
  for (int64_t pair = 0; pair < kGramPairs; ++pair) {
    __m512bh columns[kVectors];
#pragma GCC unroll 3
    for (int64_t vector = 0; vector < kVectors; ++vector) {
      columns[vector] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(&right.words[pair][vector * 16]));
    }
#pragma GCC unroll 8
    for (int64_t r = 0; r < kTileRows; ++r) {
      const auto value =
          reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(left.words[pair][row + r])));
#pragma GCC unroll 3
      for (int64_t vector = 0; vector < kVectors; ++vector) {
        sums[r][vector] = _mm512_dpbf16_ps(sums[r][vector], value, columns[vector]);
      }
    }
  }
#pragma GCC unroll 8
  for (int64_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 3
    for (int64_t vector = 0; vector < kVectors; ++vector) {
      float* const to = out + r * kGramSide + vector * 16;
      _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sums[r][vector]));
    }
  }
}

}  // namespace

void PackGramStrip(const uint16_t* rows, int64_t tokens, int64_t feature, int64_t features,
                   GramStrip& strip) {
  for (int64_t vector = 0; vector < kVectors; ++vector) {
    const int64_t at = feature + vector * 16;
    const int64_t valid = features <= at ? 0 : features - at < 16 ? features - at : 16;
    const auto mask = static_cast<__mmask16>((1u << valid) - 1);
    for (int64_t pair = 0; pair < kGramPairs; ++pair) {
      __m512i words = _mm512_setzero_si512();
      if (2 * pair < tokens) words = LoadFeatures(rows + 2 * pair * features + at, mask);
      if (2 * pair + 1 < tokens) {
        const __m512i odd = LoadFeatures(rows + (2 * pair + 1) * features + at, mask);
        words = _mm512_or_si512(words, _mm512_maskz_slli_epi32(0xffff, odd, 16));
      }
      _mm512_storeu_si512(&strip.words[pair][vector * 16], words);
    }
  }
}

void AddGramStrips(const GramStrip& left, const GramStrip& right, float* out) {
  for (int64_t row = 0; row < kGramStrip; row += kTileRows) {
    AddTile(left, row, right, out + row * kGramSide);
  }
}

}  // namespace heroq
