#pragma once

#include <ATen/core/Tensor.h>

namespace heroq {

// Causal softmax attention with scale head_dim^-1/2. query [sequences, length, heads, head_dim], key and
// value [sequences, length, kv_heads, head_dim], heads a multiple of kv_heads (query head h reads KV head h /
// (heads / kv_heads)) -> [sequences, length, heads * head_dim], contiguous. No mask is ever materialised.
// Throws what LibTorch throws.
at::Tensor CausalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value);

}  // namespace heroq
