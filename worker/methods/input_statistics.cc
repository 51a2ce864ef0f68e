#include "worker/methods/input_statistics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "worker/methods/host_matrix.h"

namespace heroq {

LayerStatistics StatisticsMet(const LinearWork& linear, const LayerStatistics& statistics) {
  if (!linear.scheme.quantizes_activations() || statistics.kept == nullptr) return statistics;
  const ActivationMoments& moments = statistics.kept->Moments(linear.scheme.activation_bits);
  return {moments.quantized, moments.token_count, statistics.kept};
}

InputStatistics Summarize(const LayerStatistics& statistics) {
  InputStatistics summary;
  summary.second_moment = HostMatrix(statistics.second_moment);
  summary.token_count = statistics.token_count;
  const at::Tensor diagonal = HostMatrix(summary.second_moment.diagonal());
  summary.diagonal.assign(Values(diagonal).begin(), Values(diagonal).end());
  summary.dead_inputs = std::count(summary.diagonal.begin(), summary.diagonal.end(), 0.0f);
  return summary;
}

absl::StatusOr<InputStatistics> FindStatistics(const UnitWork& work, const LinearWork& linear) {
  const auto found = work.statistics.find(linear.input);
  if (found == work.statistics.end()) {
    return MakeError(Reason::kCalibrationRequired,
                     absl::StrCat(linear.name, ": no second moments of its input ", ToString(linear.input)));
  }
  const at::Tensor& moments = found->second.second_moment;
  const int64_t inputs = linear.weight.size(1);
  if (moments.dim() != 2 || moments.size(0) != inputs || moments.size(1) != inputs) {
    return MakeError(Reason::kInternal, absl::StrCat(linear.name, ": second moments of ", moments.numel(),
                                                     " values, expected ", inputs, " x ", inputs));
  }
  return Summarize(StatisticsMet(linear, found->second));
}

}  // namespace heroq
