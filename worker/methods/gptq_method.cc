#include "worker/methods/gptq_method.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/degenerate_warnings.h"
#include "worker/methods/host_matrix.h"
#include "worker/methods/input_solver.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/linear_stacks.h"
#include "worker/quantizer/linear_builder.h"

namespace heroq {
namespace {

class UnitSolver {
 public:
  UnitSolver(const UnitWork& work, const GptqOptions& options, const Cancellation& cancellation,
             const Method::Progress& progress)
      : work_(work), options_(options), cancellation_(cancellation), progress_(progress) {}

  absl::StatusOr<QuantizedUnit> Run() {
    unit_.linears.resize(work_.linears.size());
    unit_.outcomes.resize(work_.linears.size());
    for (const InputStacks& input : StackLinears(work_)) {
      const LinearWork& first = work_.linears[input.stacks.front().members.front()];
      Report(first);
      HEROQ_ASSIGN_OR_RETURN(const InputStatistics statistics, FindStatistics(work_, first));
      HEROQ_ASSIGN_OR_RETURN(const InputSolver solver,
                             InputSolver::Make(statistics, options_, first.weight.device(), first.name));
      for (const LinearStack& stack : input.stacks) {
        HEROQ_RETURN_IF_ERROR(cancellation_.Check());
        Report(work_.linears[stack.members.front()]);
        HEROQ_RETURN_IF_ERROR(SolveStack(stack, statistics, solver));
      }
    }
    return std::move(unit_);
  }

 private:
  void Report(const LinearWork& linear) const {
    if (progress_)
      progress_(linear.name, static_cast<double>(done_) / static_cast<double>(work_.linears.size()));
  }

  absl::Status SolveStack(const LinearStack& stack, const InputStatistics& statistics,
                          const InputSolver& solver) {
    const LinearWork& first = work_.linears[stack.members.front()];
    const at::Tensor weight = StackedWeight(work_, stack);
    HEROQ_ASSIGN_OR_RETURN(const InputSolver::Rows solved,
                           solver.Solve(weight, first.scheme, first.name, cancellation_));
    const auto& [grid, solution] = solved;
    int64_t row = 0;
    for (const size_t member : stack.members) {
      const int64_t rows = work_.linears[member].weight.size(0);
      const absl::Span<const uint8_t> codes(solution.codes);
      unit_.linears[member] = BuildQuantizedLinear(work_.linears[member].name, grid, row, rows,
                                                   codes.subspan(row * grid.columns, rows * grid.columns));
      LinearOutcome& outcome = unit_.outcomes[member];
      outcome.row_losses.assign(solution.loss.begin() + row, solution.loss.begin() + row + rows);
      outcome.token_count = statistics.token_count;
      outcome.dead_inputs = statistics.dead_inputs;
      outcome.warnings =
          WeightWarnings(Values(weight).subspan(row * grid.columns, rows * grid.columns), rows);
      for (std::string& warning : InputWarnings(statistics)) outcome.warnings.push_back(std::move(warning));
      if (options_.scale_search) outcome.mean_shrink = MeanShrink(grid, row, rows);
      RecordDamping(solver.damping(), &outcome);
      row += rows;
      ++done_;
    }
    return absl::OkStatus();
  }

  static void RecordDamping(const DampingRecord* damping, LinearOutcome* outcome) {
    if (damping == nullptr) return;
    outcome->damping = damping->damping();
    outcome->damping_raised = damping->raised();
    if (damping->raised()) {
      outcome->warnings.push_back(absl::StrCat("Damping was raised from ", damping->rungs.front(), " to ",
                                               damping->damping(),
                                               ": the second moments were not positive definite before."));
    }
  }

  const UnitWork& work_;
  const GptqOptions& options_;
  const Cancellation& cancellation_;
  const Method::Progress& progress_;
  QuantizedUnit unit_;
  int64_t done_ = 0;
};

}  // namespace

absl::StatusOr<QuantizedUnit> GptqMethod::Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                   const Progress& progress) const {
  return CatchTorch("gptq", [&] { return UnitSolver(work, options_, cancellation, progress).Run(); });
}

}  // namespace heroq
