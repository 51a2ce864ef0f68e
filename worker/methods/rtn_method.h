#pragma once

#include "worker/methods/method.h"

namespace heroq {

struct RtnOptions {
  bool scale_search = true;
};

// Rounds every weight to the nearest point of its group's grid. With scale search the grid minimises the
// error weighted by diag H when the unit has statistics, unweighted otherwise. Needs no calibration.
class RtnMethod : public Method {
 public:
  explicit RtnMethod(const RtnOptions& options) : options_(options) {}
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  const RtnOptions options_;
};

}  // namespace heroq
