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

// out[r][c], rows kGramSide apart, += sum over `pairs` of feature (row + r) of `left` times feature c of
// `right`. The 24 sums, three words of `right` and one of `left` stay in registers.
void AddTile(const GramStrip& left, int64_t row, const GramStrip& right, int64_t pairs, float* out) {
  __m512 sums[kTileRows][kVectors];
#pragma GCC unroll 8
  for (auto& vectors : sums) {
#pragma GCC unroll 3
    for (__m512& sum : vectors) sum = _mm512_setzero_ps();
  }
  for (int64_t pair = 0; pair < pairs; ++pair) {
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

void AddGramStrips(const GramStrip& left, const GramStrip& right, int64_t pairs, float* out) {
  for (int64_t row = 0; row < kGramStrip; row += kTileRows) {
    AddTile(left, row, right, pairs, out + row * kGramSide);
  }
}

double DotProduct(const float* a, const float* b, int64_t length) {
  constexpr int64_t kSums = 4, kWidth = 8;
  __m512d sums[kSums] = {};
  for (int64_t at = 0; at < length; at += kSums * kWidth) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < kSums; ++i) {
      const int64_t begin = at + i * kWidth, left = length - begin;
      const auto mask = static_cast<__mmask8>(left >= kWidth ? 0xff : left <= 0 ? 0 : (1u << left) - 1);
      const __m512d of_a = _mm512_maskz_cvtps_pd(0xff, _mm256_maskz_loadu_ps(mask, a + begin));
      const __m512d of_b = _mm512_maskz_cvtps_pd(0xff, _mm256_maskz_loadu_ps(mask, b + begin));
      sums[i] = _mm512_fmadd_pd(of_a, of_b, sums[i]);
    }
  }
  double parts[kWidth];
  _mm512_storeu_pd(parts, _mm512_add_pd(_mm512_add_pd(sums[0], sums[1]), _mm512_add_pd(sums[2], sums[3])));
  double total = 0;
  for (const double part : parts) total += part;
  return total;
}

}  // namespace heroq
