#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "worker/calibration/packed_statistics.h"

namespace heroq {

// Accumulates sum x^T x of one distinct linear input in float32 (design of the statistics: one matrix for all
// linears that read the same input). Products of bfloat16 activations are exact: only their sums are rounded,
// to float32. Equal calls in equal order give equal bits for any number of threads. Any device.
// Thread-compatible. Throws what LibTorch throws: callers wrap it in CatchTorch.
class SecondMoment {
 public:
  // `rows` [tokens, features], bfloat16 or float32, contiguous; of one type and device in all calls.
  void Add(const at::Tensor& rows);

  int64_t token_count() const { return token_count_; }
  // True if the last Add left every sum finite: x or x^2 that is NaN or beyond float32 shows on the diagonal.
  bool finite() const;
  // The sum so far; at least one row was added. Empties this.
  PackedStatistics TakePacked();

 private:
  int64_t features_ = 0;
  // Of bfloat16 rows on processors that have a kernel for them, the packed upper triangle; of others a matrix
  // of which only the upper triangle is meaningful, and whose memory serves the next sum.
  at::Tensor sum_;
  int64_t token_count_ = 0;
};

}  // namespace heroq
