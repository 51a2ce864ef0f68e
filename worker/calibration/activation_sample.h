#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace heroq {

// Keeps rows of a stream of known length, one of each of `kept` equal parts, at a fixed pseudo-random place
// in it: at even distances rows would fall on the same few positions of every sequence, and never on its
// first token, whose activations are unlike all others. However the stream is cut into calls, the rows are
// the same. Thread-compatible. Throws what LibTorch throws.
class ActivationSample {
 public:
  // Keeps every row when `kept` is not below `total`.
  ActivationSample(int64_t kept, int64_t total);

  // `rows` [tokens, features]; copied as far as they are kept.
  void Add(const at::Tensor& rows);
  // [kept, features] in the order they came; undefined when none was kept.
  at::Tensor Rows() const;

 private:
  int64_t Position(int64_t index) const;

  const int64_t kept_;
  const int64_t total_;
  int64_t seen_ = 0;
  int64_t next_ = 0;
  std::vector<at::Tensor> parts_;
};

}  // namespace heroq
