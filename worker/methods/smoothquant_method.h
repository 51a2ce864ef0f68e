#pragma once

#include <memory>
#include <variant>

#include "worker/methods/gptq_method.h"
#include "worker/methods/method.h"
#include "worker/methods/rtn_method.h"

namespace heroq {

struct SmoothQuantOptions {
  std::variant<GptqOptions, RtnOptions> base;
  // The paper's alpha: the share of the activations' range that moves into the weights, 0 to 1.
  double strength = 0.5;
};

// SmoothQuant (arXiv 2211.10438): each distinct input is divided by D = SmoothingScale of the largest
// activations over the kept tokens and the largest weights of the linears that read it, which take D; then
// the base method quantizes. D goes where FoldTransform has it, between value and output projections of
// grouped heads too. Nothing is searched: an input is scaled whether it loses less then or not; the report
// says what it lost. Needs kept activations of every input of a quantized linear (CALIBRATION_REQUIRED) and
// the fields of UnitWork for transforms.
class SmoothQuantMethod : public Method {
 public:
  explicit SmoothQuantMethod(SmoothQuantOptions options);
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  absl::Status Smooth(LinearInput input, const Cancellation& cancellation, UnitWork& work,
                      TransformOutcome& outcome) const;

  const SmoothQuantOptions options_;
  const std::unique_ptr<Method> base_;
};

}  // namespace heroq
