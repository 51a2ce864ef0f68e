#pragma once

#include <map>

#include "absl/status/status.h"
#include "common/model/model_layout.h"
#include "worker/calibration/activation_sample.h"
#include "worker/calibration/packed_statistics.h"
#include "worker/calibration/second_moment.h"
#include "worker/forward/activation_tap.h"

namespace heroq {

// Accumulates the second moments of every distinct input of a block, and the energies of what linears make of
// it, while the block runs, shard after shard. Thread-compatible.
class MomentTap final : public ActivationTap {
 public:
  // Of the tokens of a shard, `kept_tokens` rows are kept as they are (ActivationSample), none for 0.
  explicit MomentTap(int64_t kept_tokens = 0) : kept_tokens_(kept_tokens) {}

  // Each input will be observed on `tokens` until the statistics are taken.
  void Begin(int64_t tokens) { total_tokens_ = tokens; }

  // NUMERICAL_FAILURE naming the input and how many of its values are NaN or Inf.
  absl::Status Observe(LinearInput input, const at::Tensor& rows) override;

  void ObserveOutput(LinearInput input, LinearRole role, const at::Tensor& values) override;

  // Per input, the sum over everything observed since the last call.
  std::map<LinearInput, PackedStatistics> TakePacked();

 private:
  const int64_t kept_tokens_;
  int64_t total_tokens_ = 0;
  std::map<LinearInput, SecondMoment> moments_;
  std::map<LinearInput, ActivationSample> samples_;
  std::map<LinearInput, std::map<LinearRole, double>> energies_;
};

// OK, or NUMERICAL_FAILURE naming `what` and how many of its values are NaN or Inf. Any device.
absl::Status CheckFinite(const at::Tensor& values, absl::string_view what);

}  // namespace heroq
