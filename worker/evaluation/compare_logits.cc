#include "worker/evaluation/compare_logits.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>

namespace heroq {
namespace {

// Few enough rows for the intermediate tensors of a large vocabulary to stay in cache.
constexpr int64_t kSliceRows = 16;

double Sum(const at::Tensor& values) { return values.to(at::kDouble).sum().item<double>(); }

ComparisonSums CompareSlice(const at::Tensor& original, const at::Tensor& candidate,
                            const at::Tensor& targets) {
  const at::Tensor original_log = at::log_softmax(original, -1);
  const at::Tensor candidate_log = at::log_softmax(candidate, -1);
  const at::Tensor column = targets.unsqueeze(-1);
  ComparisonSums sums;
  sums.token_count = targets.size(0);
  sums.original_nll = -Sum(original_log.gather(-1, column));
  sums.candidate_nll = -Sum(candidate_log.gather(-1, column));
  const at::Tensor difference = original_log - candidate_log;
  sums.kl = Sum(difference.mul_(original_log.exp()).sum(-1));
  return sums;
}

}  // namespace

ComparisonSums& ComparisonSums::operator+=(const ComparisonSums& other) {
  token_count += other.token_count;
  original_nll += other.original_nll;
  candidate_nll += other.candidate_nll;
  kl += other.kl;
  return *this;
}

ComparisonSums CompareLogits(const at::Tensor& original, const at::Tensor& candidate,
                             const at::Tensor& targets) {
  ComparisonSums sums;
  for (int64_t row = 0; row < targets.size(0); row += kSliceRows) {
    const int64_t rows = std::min(kSliceRows, targets.size(0) - row);
    sums += CompareSlice(original.narrow(0, row, rows), candidate.narrow(0, row, rows),
                         targets.narrow(0, row, rows));
  }
  return sums;
}

}  // namespace heroq
