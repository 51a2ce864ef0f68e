#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/concurrency/cancellation.h"
#include "common/quant/quant_scheme.h"
#include "worker/methods/gptq_options.h"
#include "worker/methods/input_statistics.h"
#include "worker/quantizer/gptq.h"
#include "worker/quantizer/gptq_aten.h"

namespace heroq {

// GPTQ of rows that read one input, whose second moments are factored once. Rows on the CPU go through the
// kernels, others through ATen on their device. Immutable, so thread-safe. Throws what LibTorch throws.
class InputSolver {
 public:
  // `device` is where the weights are, `name` the linear in errors. An input that is zero on every token has
  // no factor: rows are rounded to nearest and lose nothing. Errors as FactorHessian. `statistics` is not
  // kept.
  static absl::StatusOr<InputSolver> Make(const InputStatistics& statistics, const GptqOptions& options,
                                          at::Device device, const std::string& name);

  struct Rows {
    ScaleGrid grid;
    GptqSolution solution;
  };
  // `weight` is a HostMatrix [rows, in]. A row's result does not depend on the others. Errors as MakeGrid;
  // CANCELLED.
  absl::StatusOr<Rows> Solve(const at::Tensor& weight, const QuantScheme& scheme, const std::string& name,
                             const Cancellation& cancellation) const;

  // Null when every input is dead.
  const DampingRecord* damping() const;

 private:
  GptqOptions options_;
  std::vector<float> diagonal_;
  // The factor, made for the device of the weights.
  std::optional<HessianFactor> host_;
  std::optional<DeviceFactor> device_;
};

}  // namespace heroq
