#include "worker/methods/dash_q_method.h"

#include "worker/methods/unit_rounding.h"

namespace heroq {

absl::StatusOr<QuantizedUnit> DashQMethod::Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                    const Progress& progress) const {
  const GridOptions grid{.search = GridSearch::kLeastSquares, .importance = {}, .least_squares = options_};
  return RoundUnit(work, {"dash-q", grid, true}, cancellation, progress);
}

}  // namespace heroq
