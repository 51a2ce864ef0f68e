#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// How a processor multiplies the tiles of attention.
enum class TileForm {
  kBf16Pairs,  // bfloat16 in pairs, float32 sums: AVX512-BF16 and AMX
  kFloat,      // bfloat16 widened to float32
};

bool IsSupported(TileForm form);

// CausalAttention (attention.h) of bfloat16 on a CPU. Tiles of queries meet the keys up to their end, and
// their scores stay in the second-level cache, in float32, until they are weights; weights are rounded to
// bfloat16 before they are normalised (kBf16Pairs) or not at all. The shapes of products depend on the
// length alone, and each tile is one thread's: neither batch nor threads change a bit. `form` must be
// supported; head_dim is even.
at::Tensor TiledCausalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                TileForm form);

}  // namespace heroq
