#include "worker/methods/gptq_method.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/degenerate_warnings.h"
#include "worker/methods/host_matrix.h"
#include "worker/methods/input_statistics.h"
#include "worker/methods/linear_stacks.h"
#include "worker/quantizer/gptq.h"
#include "worker/quantizer/gptq_aten.h"
#include "worker/quantizer/linear_builder.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

// The factor of one input, made for the device its linears are on; none when every input is dead.
struct Factor {
  std::optional<HessianFactor> host;
  std::optional<DeviceFactor> device;

  const DampingRecord* damping() const {
    if (host.has_value()) return &host->damping;
    return device.has_value() ? &device->damping : nullptr;
  }
};

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
      HEROQ_ASSIGN_OR_RETURN(const Factor factor, MakeFactor(statistics, first));
      for (const LinearStack& stack : input.stacks) {
        HEROQ_RETURN_IF_ERROR(cancellation_.Check());
        Report(work_.linears[stack.members.front()]);
        HEROQ_RETURN_IF_ERROR(SolveStack(stack, statistics, factor));
      }
    }
    return std::move(unit_);
  }

 private:
  void Report(const LinearWork& linear) const {
    if (progress_)
      progress_(linear.name, static_cast<double>(done_) / static_cast<double>(work_.linears.size()));
  }

  absl::StatusOr<Factor> MakeFactor(const InputStatistics& statistics, const LinearWork& linear) const {
    Factor factor;
    if (statistics.all_dead()) return factor;
    const FactorOptions options{options_.damping, options_.act_order, statistics.token_count};
    if (linear.weight.is_cpu()) {
      HEROQ_ASSIGN_OR_RETURN(factor.host,
                             FactorHessian(KernelsFor(BestIsa()), Values(statistics.second_moment),
                                           statistics.second_moment.size(0), options, linear.name));
    } else {
      HEROQ_ASSIGN_OR_RETURN(
          factor.device,
          FactorHessianOnDevice(statistics.second_moment.to(linear.weight.device()), options, linear.name));
    }
    return factor;
  }

  absl::StatusOr<GptqSolution> Solve(const at::Tensor& weight, const ScaleGrid& grid,
                                     const Factor& factor) const {
    if (factor.host.has_value()) {
      return SolveGptq(KernelsFor(BestIsa()), Values(weight), grid, *factor.host, cancellation_);
    }
    if (factor.device.has_value()) {
      return SolveGptqOnDevice(weight.to(factor.device->order.device()), grid, *factor.device, cancellation_);
    }
    return GptqSolution{RoundToGrid(Values(weight), grid), std::vector<double>(grid.rows)};
  }

  absl::Status SolveStack(const LinearStack& stack, const InputStatistics& statistics, const Factor& factor) {
    const LinearWork& first = work_.linears[stack.members.front()];
    const at::Tensor weight = StackedWeight(work_, stack);
    HEROQ_ASSIGN_OR_RETURN(
        const ScaleGrid grid,
        MakeGrid(KernelsFor(BestIsa()), Values(weight), weight.size(0), weight.size(1), first.scheme,
                 {options_.scale_search ? GridSearch::kShrink : GridSearch::kMinMax, statistics.diagonal},
                 first.name));
    HEROQ_ASSIGN_OR_RETURN(const GptqSolution solution, Solve(weight, grid, factor));
    int64_t row = 0;
    for (const size_t member : stack.members) {
      const int64_t rows = work_.linears[member].weight.size(0);
      const absl::Span<const uint8_t> codes(solution.codes);
      unit_.linears[member] = BuildQuantizedLinear(work_.linears[member].name, grid, row, rows,
                                                   codes.subspan(row * grid.columns, rows * grid.columns));
      LinearOutcome& outcome = unit_.outcomes[member];
      outcome.solver_loss =
          std::accumulate(solution.loss.begin() + row, solution.loss.begin() + row + rows, 0.0);
      outcome.token_count = statistics.token_count;
      outcome.dead_inputs = statistics.dead_inputs;
      outcome.warnings =
          WeightWarnings(Values(weight).subspan(row * grid.columns, rows * grid.columns), rows);
      for (std::string& warning : InputWarnings(statistics)) outcome.warnings.push_back(std::move(warning));
      if (options_.scale_search) outcome.mean_shrink = MeanShrink(grid, row, rows);
      RecordDamping(factor.damping(), &outcome);
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
