#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>

namespace heroq {

// What rounding does to activations x that become q, with e = x - q, over a sample of tokens: float32 [in,
// in].
struct ActivationMoments {
  at::Tensor quantized;  // sum of q^T q
  at::Tensor cross;      // sum of q^T e
  at::Tensor residual;   // sum of e^T e
  int64_t token_count = 0;

  // sum of x^T x
  at::Tensor Original() const;
};

// `rows` and `quantized` [tokens, in], of one floating-point type. Deterministic within a numeric class.
// Throws what LibTorch throws.
ActivationMoments MeasureActivations(const at::Tensor& rows, const at::Tensor& quantized);

// Rows of one distinct input that were kept for what second moments do not say. Remembers what it measured;
// thread-compatible. Throws what LibTorch throws.
class KeptActivations {
 public:
  // [tokens, in], bfloat16 or float32.
  explicit KeptActivations(at::Tensor rows) : rows_(std::move(rows)) {}

  const at::Tensor& rows() const { return rows_; }
  // With q = QuantizeActivations(x, bits).
  const ActivationMoments& Moments(int bits) const;

 private:
  const at::Tensor rows_;
  mutable std::map<int, ActivationMoments> moments_;
};

}  // namespace heroq
