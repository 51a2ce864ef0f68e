#pragma once

#include "worker/methods/method.h"
#include "worker/quantizer/grid.h"

namespace heroq {

using DashQOptions = LeastSquaresOptions;

// DASH-Q (arXiv 2604.13806): scale and zero point of every group by least squares weighted with diag H
// (GridSearch::kLeastSquares), weights rounded to nearest. Needs statistics of every input, and of them only
// the diagonal.
class DashQMethod : public Method {
 public:
  explicit DashQMethod(const DashQOptions& options) : options_(options) {}
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  const DashQOptions options_;
};

}  // namespace heroq
