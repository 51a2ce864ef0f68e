#include "worker/methods/unit_rounding.h"

#include <ATen/ops/from_blob.h>

#include <utility>
#include <vector>

#include "common/status/status_macros.h"
#include "worker/device/torch_status.h"
#include "worker/methods/degenerate_warnings.h"
#include "worker/methods/host_matrix.h"
#include "worker/methods/input_statistics.h"
#include "worker/quantizer/linear_builder.h"
#include "worker/quantizer/rtn.h"

namespace heroq {
namespace {

absl::Status RoundLinear(const UnitWork& work, const LinearWork& linear, const UnitRounding& rounding,
                         QuantizedUnit* unit) {
  LinearOutcome outcome;
  GridOptions options = rounding.grid;
  InputStatistics statistics;
  if (rounding.needs_statistics || !work.statistics.empty()) {
    HEROQ_ASSIGN_OR_RETURN(statistics, FindStatistics(work, linear));
    outcome.token_count = statistics.token_count;
    outcome.dead_inputs = statistics.dead_inputs;
    options.importance = statistics.diagonal;
  }
  const at::Tensor weight = HostMatrix(linear.weight);
  const int64_t rows = weight.size(0);
  outcome.warnings = WeightWarnings(Values(weight), rows);
  if (rounding.needs_statistics) {
    for (std::string& warning : WeightingWarnings(statistics)) outcome.warnings.push_back(std::move(warning));
  }
  HEROQ_ASSIGN_OR_RETURN(const ScaleGrid grid, MakeGrid(KernelsFor(BestIsa()), Values(weight), rows,
                                                        weight.size(1), linear.scheme, options, linear.name));
  if (options.search != GridSearch::kMinMax) outcome.mean_shrink = MeanShrink(grid, 0, rows);
  if (grid.free_zeros.empty()) {
    unit->linears.push_back(
        BuildQuantizedLinear(linear.name, grid, 0, rows, RoundToGrid(Values(weight), grid)));
  } else {
    std::vector<float> values = RoundToFreeGrid(Values(weight), grid);
    unit->dense.push_back(at::from_blob(values.data(), weight.sizes(), at::kFloat).clone());
  }
  unit->outcomes.push_back(std::move(outcome));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<QuantizedUnit> RoundUnit(const UnitWork& work, const UnitRounding& rounding,
                                        const Cancellation& cancellation, const Method::Progress& progress) {
  return CatchTorch(rounding.method, [&]() -> absl::StatusOr<QuantizedUnit> {
    QuantizedUnit unit;
    for (const LinearWork& linear : work.linears) {
      HEROQ_RETURN_IF_ERROR(cancellation.Check());
      if (progress) {
        progress(linear.name,
                 static_cast<double>(unit.outcomes.size()) / static_cast<double>(work.linears.size()));
      }
      HEROQ_RETURN_IF_ERROR(RoundLinear(work, linear, rounding, &unit));
    }
    return unit;
  });
}

}  // namespace heroq
