#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "common/model/model_layout.h"
#include "common/quant/quant_scheme.h"
#include "common/quant/quantized_linear.h"
#include "worker/calibration/layer_statistics.h"

namespace heroq {

struct LinearWork {
  std::string name;
  LinearInput input = LinearInput::kAttentionIn;
  // [out, in], finite, the source's dtype or float32, on the worker's device.
  at::Tensor weight;
  QuantScheme scheme;
};

// One Quantize task: the linears of a unit and the statistics of their inputs.
struct UnitWork {
  std::vector<LinearWork> linears;
  // Empty when the job has no calibration.
  std::map<LinearInput, LayerStatistics> statistics;
};

// What a method knows of a linear it quantized: the plain twin of proto LinearReport, where the fields are
// documented. The errors of LinearReport are not here: they are measured on the stored bytes, by whoever
// stores them.
struct LinearOutcome {
  // tr(E H E^T) as the solver counted it, not yet relative.
  std::optional<double> solver_loss;
  std::optional<double> damping;
  bool damping_raised = false;
  std::optional<double> mean_shrink;
  int64_t dead_inputs = 0;
  int64_t token_count = 0;
  std::vector<std::string> warnings;
};

struct QuantizedUnit {
  std::vector<QuantizedLinear> linears;  // in the order of UnitWork.linears
  std::vector<LinearOutcome> outcomes;
};

// A quantization method over one unit. Deterministic: equal work gives equal bytes within a numeric class.
// Stateless, thread-safe. Errors: NUMERICAL_FAILURE naming the linear, CALIBRATION_REQUIRED, OUT_OF_MEMORY,
// CANCELLED.
class Method {
 public:
  virtual ~Method() = default;
  // `progress` (may be empty) is told the linear about to be worked on and the fraction done.
  using Progress = std::function<void(const std::string& activity, double fraction)>;
  virtual absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                 const Progress& progress) const = 0;
};

}  // namespace heroq
