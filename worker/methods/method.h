#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

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
  at::Tensor weight;  // [out, in], the source's dtype or float32, on the worker's device
  QuantScheme scheme;
};

// One Quantize task: the linears of a unit and the statistics of their inputs.
struct UnitWork {
  std::vector<LinearWork> linears;
  // Empty when the job has no calibration.
  std::map<LinearInput, LayerStatistics> statistics;
  uint64_t seed = 0;  // keyed by job, block and unit already
};

// Plain twin of proto LinearReport (no protobuf here); field meanings are documented there.
struct LinearOutcome {
  std::optional<double> relative_error;
  double weight_error = 0;
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

// A quantization method over one unit. Deterministic: equal work gives equal bytes within a numeric class. Stateless,
// thread-safe. Errors: NUMERICAL_FAILURE naming the linear, CALIBRATION_REQUIRED, CANCELLED.
class Method {
 public:
  virtual ~Method() = default;
  // `progress` (may be empty) is told the linear about to be worked on and the fraction done.
  using Progress = std::function<void(const std::string& activity, double fraction)>;
  virtual absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                                 const Progress& progress) const = 0;
};

}  // namespace heroq
