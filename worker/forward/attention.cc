#include "worker/forward/attention.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "worker/device/bf16_products.h"

namespace heroq {
namespace {

// Query positions handled together: few enough that little is computed beyond the diagonal.
constexpr int64_t kTile = 64;

// float32 [positions * group, positions] to add to scores of a tile with itself: -inf where the key is in the
// future. Rows are positions, each repeated for the query heads that share a key head.
at::Tensor DiagonalMask(int64_t positions, int64_t group, c10::Device device) {
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  return at::full({positions, positions}, -std::numeric_limits<float>::infinity(), options)
      .triu(1)
      .repeat_interleave(group, 0);
}

at::Tensor Scores(const at::Tensor& query, const at::Tensor& key) {
  const Bf16ProductsGuard exact;
  return at::bmm(query, key);
}

// LibTorch's fused kernel runs bfloat16 on CPUs far below the rate of the matrix products it is made of. Here
// tiles of queries meet the keys up to their end: scores and softmax in float32, weights rounded to bfloat16
// as in the fused kernel.
at::Tensor TiledAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  const int64_t sequences = query.size(0), length = query.size(1), heads = query.size(2),
                width = query.size(3);
  const int64_t kv_heads = key.size(2), group = heads / kv_heads, batch = sequences * kv_heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  const at::Tensor queries =
      query.reshape({sequences, length, kv_heads, group, width}).permute({0, 2, 1, 3, 4});
  const at::Tensor keys = key.permute({0, 2, 3, 1}).to(at::kFloat).reshape({batch, width, length});
  const at::Tensor values = value.permute({0, 2, 1, 3}).reshape({batch, length, width});
  const at::Tensor mask = DiagonalMask(std::min(kTile, length), group, query.device());
  const at::Tensor mixed = at::empty({sequences, length, kv_heads, group, width}, query.options());
  for (int64_t begin = 0; begin < length; begin += kTile) {
    const int64_t size = std::min(kTile, length - begin);
    const int64_t end = begin + size;
    const at::Tensor tile =
        queries.narrow(2, begin, size).to(at::kFloat).reshape({batch, size * group, width});
    at::Tensor scores = Scores(tile, keys.narrow(2, 0, end)).mul_(scale);
    scores.narrow(2, begin, size).add_(mask.narrow(0, 0, size * group).narrow(1, 0, size));
    const at::Tensor weights = scores.softmax(-1).to(value.scalar_type());
    const at::Tensor part = at::bmm(weights, values.narrow(1, 0, end));
    mixed.narrow(1, begin, size)
        .copy_(part.view({sequences, kv_heads, size, group, width}).permute({0, 2, 1, 3, 4}));
  }
  return mixed.view({sequences, length, heads * width});
}

}  // namespace

at::Tensor CausalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  if (query.is_cpu() && query.scalar_type() == at::kBFloat16) return TiledAttention(query, key, value);
  const bool grouped = query.size(2) != key.size(2);
  const at::Tensor mixed = at::scaled_dot_product_attention(
      query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), /*attn_mask=*/{}, /*dropout_p=*/0.0,
      /*is_causal=*/true, /*scale=*/std::nullopt, /*enable_gqa=*/grouped);
  return mixed.transpose(1, 2).reshape({query.size(0), query.size(1), query.size(2) * query.size(3)});
}

}  // namespace heroq
