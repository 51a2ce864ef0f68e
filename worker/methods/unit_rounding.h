#pragma once

#include <string>

#include "worker/methods/method.h"
#include "worker/quantizer/grid.h"

namespace heroq {

struct UnitRounding {
  std::string method;  // named in errors
  // How grids are chosen. `importance` is set from diag H wherever the unit has statistics.
  GridOptions grid;
  // Without statistics: CALIBRATION_REQUIRED, or a grid of equal importances.
  bool needs_statistics = false;
};

// Rounds every weight of a unit to the nearest point of its group's grid. Contract as Method::Quantize.
absl::StatusOr<QuantizedUnit> RoundUnit(const UnitWork& work, const UnitRounding& rounding,
                                        const Cancellation& cancellation, const Method::Progress& progress);

}  // namespace heroq
