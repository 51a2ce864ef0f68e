#pragma once

#include "worker/methods/gptq_options.h"
#include "worker/methods/method.h"

namespace heroq {

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
