#pragma once

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"

namespace heroq {

// Final norm and language-model head.
class OutputHead {
 public:
  // gain [hidden], weight [vocabulary, hidden] (the embedding when tied), same type and device.
  OutputHead(at::Tensor gain, at::Tensor weight, double epsilon);

  // hidden [rows, hidden] -> logits float32 [rows, vocabulary]. Products of bfloat16 values are exact and
  // accumulated in float32: logits are not rounded to bfloat16, whose steps near typical logits are as large
  // as the divergences that are measured. OUT_OF_MEMORY, INTERNAL.
  absl::StatusOr<at::Tensor> Logits(const at::Tensor& hidden) const;

  // Keeps one copy of the weight when both have equal ones.
  void ShareWeight(const OutputHead& other);

 private:
  const at::Tensor gain_;
  at::Tensor weight_;  // float32
  const bool bf16_;
  const double epsilon_;
};

}  // namespace heroq
