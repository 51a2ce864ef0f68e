#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/methods/method.h"

namespace heroq {

// `statistics` of the input of `linear` as the linear meets it: second moments of the quantized activations
// over the kept tokens, where its scheme quantizes them and tokens were kept. Throws what LibTorch throws.
LayerStatistics StatisticsMet(const LinearWork& linear, const LayerStatistics& statistics);

// Second moments of one distinct input as methods use them.
struct InputStatistics {
  at::Tensor second_moment;     // HostMatrix, [in, in]
  std::vector<float> diagonal;  // [in]
  int64_t token_count = 0;
  int64_t dead_inputs = 0;  // inputs with a zero diagonal

  bool all_dead() const { return dead_inputs == static_cast<int64_t>(diagonal.size()); }
};

// Of `statistics` as they are.
InputStatistics Summarize(const LayerStatistics& statistics);

// The statistics of the input `linear` reads, as it meets it (StatisticsMet). CALIBRATION_REQUIRED naming the
// linear when the unit has none; INTERNAL when their size is not the linear's.
absl::StatusOr<InputStatistics> FindStatistics(const UnitWork& work, const LinearWork& linear);

}  // namespace heroq
