#include "worker/forward/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include "worker/forward/attention_tiles.h"
#include "worker/forward/bf16_rows.h"

namespace heroq {

// LibTorch's fused kernel runs bfloat16 on CPUs far below the rate of the matrix products it is made of.
at::Tensor CausalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  if (HasBlockKernels(query)) {
    const TileForm form = IsSupported(TileForm::kBf16Pairs) ? TileForm::kBf16Pairs : TileForm::kFloat;
    return TiledCausalAttention(query, key, value, form);
  }
  const bool grouped = query.size(2) != key.size(2);
  const at::Tensor mixed = at::scaled_dot_product_attention(
      query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), /*attn_mask=*/{}, /*dropout_p=*/0.0,
      /*is_causal=*/true, /*scale=*/std::nullopt, /*enable_gqa=*/grouped);
  return mixed.transpose(1, 2).reshape({query.size(0), query.size(1), query.size(2) * query.size(3)});
}

}  // namespace heroq
