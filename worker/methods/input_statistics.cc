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

absl::StatusOr<InputStatistics> FindStatistics(const UnitWork& work, const LinearWork& linear) {
  const auto found = work.statistics.find(linear.input);
  if (found == work.statistics.end()) {
    return MakeError(Reason::kCalibrationRequired,
                     absl::StrCat(linear.name, ": no second moments of its input ", ToString(linear.input)));
  }
  InputStatistics statistics;
  const LayerStatistics met = StatisticsMet(linear, found->second);
  statistics.second_moment = HostMatrix(met.second_moment);
  statistics.token_count = met.token_count;
  const int64_t inputs = linear.weight.size(1);
  if (statistics.second_moment.dim() != 2 || statistics.second_moment.size(0) != inputs ||
      statistics.second_moment.size(1) != inputs) {
    return MakeError(Reason::kInternal,
                     absl::StrCat(linear.name, ": second moments of ", statistics.second_moment.numel(),
                                  " values, expected ", inputs, " x ", inputs));
  }
  const float* values = statistics.second_moment.const_data_ptr<float>();
  for (int64_t j = 0; j < inputs; ++j) statistics.diagonal.push_back(values[j * inputs + j]);
  statistics.dead_inputs = std::count(statistics.diagonal.begin(), statistics.diagonal.end(), 0.0f);
  return statistics;
}

}  // namespace heroq
