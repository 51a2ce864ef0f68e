#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heroq {

// Sums over predicted tokens; sums of disjoint sets add.
struct ComparisonSums {
  int64_t token_count = 0;
  double original_nll = 0;  // nats
  double candidate_nll = 0;
  double kl = 0;  // KL(original || candidate), nats

  ComparisonSums& operator+=(const ComparisonSums& other);
};

// Compares two models' predictions of the same tokens. original and candidate: logits float32 [rows,
// vocabulary]; targets int64 [rows], the token that follows each row. Each row's terms are float32, rows are
// added in double in order. Throws what LibTorch throws.
ComparisonSums CompareLogits(const at::Tensor& original, const at::Tensor& candidate,
                             const at::Tensor& targets);

}  // namespace heroq
