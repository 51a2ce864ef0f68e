#pragma once

#include "worker/methods/method.h"

namespace heroq {

struct GptqOptions {
  // Share of mean(diag H) added to the diagonal at first.
  double damping = 0.01;
  // Handle inputs in order of decreasing diag H; groups stay those of the original order.
  bool act_order = true;
  bool scale_search = true;
};

// GPTQ on grids fixed beforehand. Each distinct input is factored once; the linears that read it and share a
// scheme are solved as one stack of rows. An input that is zero on every token asks for nothing: its linears
// are rounded to nearest, with a warning. Weights on the CPU go through the kernels, others through ATen on
// their device. Needs statistics of every input.
class GptqMethod : public Method {
 public:
  explicit GptqMethod(const GptqOptions& options) : options_(options) {}
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  const GptqOptions options_;
};

}  // namespace heroq
