#include "worker/methods/degenerate_warnings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace heroq {

std::vector<std::string> InputWarnings(const InputStatistics& statistics) {
  if (statistics.all_dead()) {
    return {"Every input was zero on all calibration tokens: weights were rounded to nearest."};
  }
  std::vector<std::string> warnings;
  const auto inputs = static_cast<int64_t>(statistics.diagonal.size());
  if (statistics.dead_inputs > 0) {
    warnings.push_back(absl::StrCat(statistics.dead_inputs, " of ", inputs,
                                    " inputs were zero on all calibration tokens: their weights were "
                                    "rounded to nearest."));
  }
  if (statistics.token_count < inputs) {
    warnings.push_back(absl::StrCat(statistics.token_count, " calibration tokens for ", inputs,
                                    " inputs: the second moments are singular, and damping decides what the "
                                    "tokens leave open."));
  }
  return warnings;
}

std::vector<std::string> WeightingWarnings(const InputStatistics& statistics) {
  if (statistics.all_dead()) {
    return {"Every input was zero on all calibration tokens: every weight counted the same."};
  }
  if (statistics.dead_inputs == 0) return {};
  return {absl::StrCat(statistics.dead_inputs, " of ", statistics.diagonal.size(),
                       " inputs were zero on all calibration tokens: their weights counted next to "
                       "nothing.")};
}

std::vector<std::string> WeightWarnings(absl::Span<const float> weight, int64_t rows) {
  const int64_t columns = static_cast<int64_t>(weight.size()) / std::max<int64_t>(rows, 1);
  int64_t empty = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const absl::Span<const float> values = weight.subspan(row * columns, columns);
    empty += std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
  }
  if (empty == 0) return {};
  if (empty == rows) return {"Every weight is zero."};
  return {absl::StrCat(empty, " of ", rows, " rows of the weight are zero.")};
}

}  // namespace heroq
