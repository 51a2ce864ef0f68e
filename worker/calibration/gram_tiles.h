#pragma once

#include <cstdint>

#include "worker/calibration/gram_strips.h"

namespace heroq {

// The inner loops of AddBf16Gram on processors with AMX, several times faster than AVX512-BF16 there. Under
// the rule of gram_strips.h: nothing with inline functions from elsewhere.

inline constexpr int64_t kTileSide = 16;  // rows of a tile register, and words of each

// A strip turned over: word (feature, pair), in tiles of 16 features and 16 pairs.
struct GramTiles {
  uint32_t words[kGramStrip / kTileSide][kGramPairs / kTileSide][kTileSide][kTileSide];
};

// Whether processor and kernel let this process use the tile registers; asks the kernel once. Thread-safe.
bool HasGramTiles();

void TurnGramStrip(const GramStrip& strip, GramTiles& tiles);

// The tile registers of this thread are in the shape AddGramTiles needs as long as this lives.
class GramTileScope {
 public:
  GramTileScope();
  ~GramTileScope();
  GramTileScope(const GramTileScope&) = delete;
  GramTileScope& operator=(const GramTileScope&) = delete;
};

// out [kGramStrip, kGramStrip], rows kGramSide apart, += left^T right over the block, in a GramTileScope.
void AddGramTiles(const GramTiles& left, const GramStrip& right, float* out);

}  // namespace heroq
