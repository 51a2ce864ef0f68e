#include "worker/forward/sum_of_squares.h"

#include <numeric>
#include <vector>

#include "worker/forward/bf16_rows.h"

namespace heroq {

std::optional<double> SumOfSquares(const at::Tensor& values) {
  if (!HasBlockKernels(values)) return std::nullopt;
  const int64_t width = values.size(-1);
  std::vector<float> rows(static_cast<size_t>(values.numel() / width));
  const uint16_t* const from = Bits(values);
  ForRows(static_cast<int64_t>(rows.size()), width, [&](const BlockKernels& kernels, int64_t row) {
    rows[row] = kernels.sum_of_squares(from + row * width, width);
  });
  return std::accumulate(rows.begin(), rows.end(), 0.0);
}

}  // namespace heroq
