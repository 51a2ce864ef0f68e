#include "worker/calibration/gram_tiles.h"

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heroq {
namespace {

constexpr int64_t kSides = kGramStrip / kTileSide;

// As LDTILECFG reads it: seven tiles of 16 rows of 64 bytes. Constant: what GCC 12 knows of the instruction
// is that it reads the first eight bytes, and it would leave out writing the others.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kTileConfig;

bool AskForTiles() {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned int kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  if ((edx & kAmxBf16) == 0 || (edx & kAmxTile) == 0) return false;
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// The 16 x 16 words at `from`, rows `stride` apart, transposed.
void Transpose(const uint32_t* from, int64_t stride, uint32_t (&to)[kTileSide][kTileSide]) {
  __m512i row[kTileSide], pair[kTileSide];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTileSide; ++i) row[i] = _mm512_loadu_si512(from + i * stride);
#pragma GCC unroll 8
  for (int64_t i = 0; i < kTileSide; i += 2) {
    pair[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  // row[4 q + c] holds columns c, 4 + c, 8 + c and 12 + c of rows 4 q to 4 q + 3, one in each quarter.
#pragma GCC unroll 4
  for (int64_t i = 0; i < kTileSide; i += 4) {
    row[i] = _mm512_unpacklo_epi64(pair[i], pair[i + 2]);
    row[i + 1] = _mm512_unpackhi_epi64(pair[i], pair[i + 2]);
    row[i + 2] = _mm512_unpacklo_epi64(pair[i + 1], pair[i + 3]);
    row[i + 3] = _mm512_unpackhi_epi64(pair[i + 1], pair[i + 3]);
  }
#pragma GCC unroll 4
  for (int64_t c = 0; c < 4; ++c) {
    const __m512i low_even = _mm512_shuffle_i32x4(row[c], row[4 + c], 0x88);
    const __m512i low_odd = _mm512_shuffle_i32x4(row[c], row[4 + c], 0xdd);
    const __m512i high_even = _mm512_shuffle_i32x4(row[8 + c], row[12 + c], 0x88);
    const __m512i high_odd = _mm512_shuffle_i32x4(row[8 + c], row[12 + c], 0xdd);
    _mm512_storeu_si512(to[c], _mm512_shuffle_i32x4(low_even, high_even, 0x88));
    _mm512_storeu_si512(to[4 + c], _mm512_shuffle_i32x4(low_odd, high_odd, 0x88));
    _mm512_storeu_si512(to[8 + c], _mm512_shuffle_i32x4(low_even, high_even, 0xdd));
    _mm512_storeu_si512(to[12 + c], _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd));
  }
}

}  // namespace

bool HasGramTiles() {
  static const bool granted = AskForTiles();
  return granted;
}

void TurnGramStrip(const GramStrip& strip, GramTiles& tiles) {
  for (int64_t side = 0; side < kSides; ++side) {
    for (int64_t block = 0; block < kGramPairs / kTileSide; ++block) {
      Transpose(&strip.words[block * kTileSide][side * kTileSide], kGramStrip, tiles.words[side][block]);
    }
  }
}

GramTileScope::GramTileScope() { _tile_loadconfig(&kTileConfig); }

GramTileScope::~GramTileScope() { _tile_release(); }

void AddGramTiles(const GramTiles& left, const GramStrip& right, float* out) {
  static_assert(kSides == 3, "three tiles of sums, three of the right strip");
  constexpr int64_t kStride = 4 * kGramSide;
  for (int64_t side = 0; side < kSides; ++side) {
    float* const sums = out + side * kTileSide * kGramSide;
    _tile_loadd(0, sums, kStride);
    _tile_loadd(1, sums + kTileSide, kStride);
    _tile_loadd(2, sums + 2 * kTileSide, kStride);
    for (int64_t depth = 0; depth < kGramPairs / kTileSide; ++depth) {
      const uint32_t* words = right.words[depth * kTileSide];
      _tile_loadd(6, left.words[side][depth], 4 * kTileSide);
      _tile_loadd(3, words, 4 * kGramStrip);
      _tile_dpbf16ps(0, 6, 3);
      _tile_loadd(4, words + kTileSide, 4 * kGramStrip);
      _tile_dpbf16ps(1, 6, 4);
      _tile_loadd(5, words + 2 * kTileSide, 4 * kGramStrip);
      _tile_dpbf16ps(2, 6, 5);
    }
    _tile_stored(0, sums, kStride);
    _tile_stored(1, sums + kTileSide, kStride);
    _tile_stored(2, sums + 2 * kTileSide, kStride);
  }
}

}  // namespace heroq
