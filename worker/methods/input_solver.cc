#include "worker/methods/input_solver.h"

#include <utility>

#include "common/status/status_macros.h"
#include "worker/methods/host_matrix.h"
#include "worker/quantizer/rtn.h"

namespace heroq {

absl::StatusOr<InputSolver> InputSolver::Make(const InputStatistics& statistics, const GptqOptions& options,
                                              at::Device device, const std::string& name) {
  InputSolver solver;
  solver.options_ = options;
  solver.diagonal_ = statistics.diagonal;
  if (statistics.all_dead()) return solver;
  const FactorOptions factor{options.damping, options.act_order, statistics.token_count};
  if (device.is_cpu()) {
    HEROQ_ASSIGN_OR_RETURN(solver.host_,
                           FactorHessian(KernelsFor(BestIsa()), Values(statistics.second_moment),
                                         statistics.second_moment.size(0), factor, name));
  } else {
    HEROQ_ASSIGN_OR_RETURN(solver.device_,
                           FactorHessianOnDevice(statistics.second_moment.to(device), factor, name));
  }
  return solver;
}

absl::StatusOr<InputSolver::Rows> InputSolver::Solve(const at::Tensor& weight, const QuantScheme& scheme,
                                                     const std::string& name,
                                                     const Cancellation& cancellation) const {
  Rows rows;
  HEROQ_ASSIGN_OR_RETURN(
      rows.grid,
      MakeGrid(KernelsFor(BestIsa()), Values(weight), weight.size(0), weight.size(1), scheme,
               {options_.scale_search ? GridSearch::kShrink : GridSearch::kMinMax, diagonal_}, name));
  if (host_.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(rows.solution,
                           SolveGptq(KernelsFor(BestIsa()), Values(weight), rows.grid, *host_, cancellation));
  } else if (device_.has_value()) {
    HEROQ_ASSIGN_OR_RETURN(rows.solution, SolveGptqOnDevice(weight.to(device_->order.device()), rows.grid,
                                                            *device_, cancellation));
  } else {
    rows.solution = {RoundToGrid(Values(weight), rows.grid), std::vector<double>(rows.grid.rows)};
  }
  return rows;
}

const DampingRecord* InputSolver::damping() const {
  if (host_.has_value()) return &host_->damping;
  return device_.has_value() ? &device_->damping : nullptr;
}

}  // namespace heroq
