#include "worker/quantizer/hessian_factor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/quantizer/reverse_cholesky.h"

namespace heroq {
namespace {

constexpr double kFloat64BelowDamping = 1e-3;
constexpr double kLargestDamping = 1.0;

// Lower triangle of the permuted H with `shift` on its diagonal, padded with the identity.
template <typename T>
AlignedBuffer<T> DampedMatrix(absl::Span<const float> second_moment, const std::vector<int32_t>& order,
                              double shift, int64_t padded) {
  const int64_t inputs = static_cast<int64_t>(order.size());
  AlignedBuffer<T> matrix(padded * padded);
  for (int64_t j = 0; j < inputs; ++j) {
    const float* source = second_moment.data() + static_cast<int64_t>(order[j]) * inputs;
    T* target = matrix.data() + j * padded;
    for (int64_t i = 0; i <= j; ++i) target[i] = static_cast<T>(source[order[i]]);
    target[j] = static_cast<T>(static_cast<double>(source[order[j]]) + shift);
  }
  for (int64_t j = inputs; j < padded; ++j) matrix[j * padded + j] = 1;
  return matrix;
}

template <typename T>
bool FactorInto(const Kernels& kernels, absl::Span<const float> second_moment, double shift,
                HessianFactor* factor) {
  const int64_t inputs = factor->inputs;
  const int64_t padded = PaddedFactorSize(inputs);
  AlignedBuffer<T> matrix = DampedMatrix<T>(second_moment, factor->order, shift, padded);
  if (!FactorReverse(kernels, padded, matrix.data())) return false;

  const int64_t tiles = (inputs + kTileColumns - 1) / kTileColumns;
  factor->pivots.assign(tiles * kTileColumns, 0.0f);
  factor->feedback = AlignedBuffer<float>(FeedbackOffset(tiles));
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t first = tile * kTileColumns;
    const int64_t count = std::min(kTileColumns, inputs - first);
    const T* rows = matrix.data() + first * padded;  // S[j][i] = U[i][j]
    float* target = factor->feedback.data() + FeedbackOffset(tile);
    T inverse[kTileColumns];
    for (int64_t r = 0; r < count; ++r) {
      const T pivot = rows[r * padded + first + r];
      inverse[r] = 1 / pivot;
      factor->pivots[first + r] = static_cast<float>(pivot * pivot);
    }
    // Eight rows side by side: the tile is written from its begin to its end.
    for (int64_t i = 0; i < first; ++i) {
      for (int64_t r = 0; r < count; ++r)
        target[i * kTileColumns + r] = static_cast<float>(rows[r * padded + i] * inverse[r]);
    }
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t i = first; i < first + r; ++i)
        target[i * kTileColumns + r] = static_cast<float>(rows[r * padded + i] * inverse[r]);
    }
  }
  return true;
}

}  // namespace

std::vector<int32_t> HandlingOrder(absl::Span<const float> diagonal, bool act_order) {
  std::vector<int32_t> order(diagonal.size());
  std::iota(order.begin(), order.end(), 0);
  if (act_order) {
    std::stable_sort(order.begin(), order.end(),
                     [&](int32_t a, int32_t b) { return diagonal[a] > diagonal[b]; });
  }
  return order;
}

std::vector<double> DampingLadder(double damping) {
  std::vector<double> rungs = {damping};
  while (rungs.back() < kLargestDamping) rungs.push_back(std::min(kLargestDamping, rungs.back() * 10));
  return rungs;
}

absl::StatusOr<DampingRecord> ClimbDampingLadder(absl::Span<const float> diagonal,
                                                 const FactorOptions& options, const std::string& name,
                                                 const std::function<bool(double shift, bool wide)>& factor) {
  const int64_t inputs = static_cast<int64_t>(diagonal.size());
  double sum = 0;
  for (int64_t j = 0; j < inputs; ++j) {
    sum += diagonal[j];
    if (!std::isfinite(diagonal[j]) || diagonal[j] < 0) {
      return MakeError(Reason::kNumericalFailure,
                       absl::StrCat(name, ": the second moment of input ", j, " is ", diagonal[j],
                                    ", expected a finite number that is not negative"));
    }
  }
  if (!(sum > 0)) {
    return MakeError(Reason::kNumericalFailure,
                     absl::StrCat(name, ": every input is zero on all calibration tokens"));
  }
  DampingRecord record;
  record.dead_inputs = std::count(diagonal.begin(), diagonal.end(), 0.0f);
  for (const double damping : DampingLadder(options.damping)) {
    record.rungs.push_back(damping);
    record.shift = damping * sum / static_cast<double>(inputs);
    const bool wide = options.token_count < 2 * inputs || damping < kFloat64BelowDamping;
    if (factor(record.shift, wide)) return record;
  }
  return MakeError(Reason::kNumericalFailure,
                   absl::StrCat(name, ": the second moments are not positive definite with damping ",
                                absl::StrJoin(record.rungs, ", ")));
}

absl::StatusOr<HessianFactor> FactorHessian(const Kernels& kernels, absl::Span<const float> second_moment,
                                            int64_t inputs, const FactorOptions& options,
                                            const std::string& name) {
  std::vector<float> diagonal(inputs);
  for (int64_t j = 0; j < inputs; ++j) diagonal[j] = second_moment[j * inputs + j];
  HessianFactor factor;
  factor.inputs = inputs;
  factor.order = HandlingOrder(diagonal, options.act_order);
  HEROQ_ASSIGN_OR_RETURN(factor.damping,
                         ClimbDampingLadder(diagonal, options, name, [&](double shift, bool wide) {
                           return wide ? FactorInto<double>(kernels, second_moment, shift, &factor)
                                       : FactorInto<float>(kernels, second_moment, shift, &factor);
                         }));
  return factor;
}

}  // namespace heroq
