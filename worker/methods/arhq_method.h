#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "worker/methods/gptq_method.h"
#include "worker/methods/method.h"
#include "worker/methods/rtn_method.h"

namespace heroq {

struct ArhqOptions {
  // What the branch keeps of W.
  enum class Branch {
    kResidual,  // the truncated SVD of W G^(1/2), G = sum of e^T e over residuals e = x - Q(x)
    kPlain,     // the truncated SVD of W
    kNone,
  };
  // How Q rounds where G is formed.
  enum class Format { kScheme, kInt8, kInt4, kNvfp4 };

  std::variant<GptqOptions, RtnOptions> base;
  int64_t rank = 32;
  Branch branch = Branch::kResidual;
  Format format = Format::kScheme;
};

// ARHQ: of each linear W, L = U U^T W with U the leading left singular vectors of W G^(1/2) stays in high
// precision and meets activations as they are; the base method quantizes W - L, which meets quantized ones.
// The branch is rounded to UnitWork::stored_type first, so the base also quantizes what that loses. Needs
// kept activations of every input, and schemes that quantize them (CALIBRATION_REQUIRED).
class ArhqMethod : public Method {
 public:
  explicit ArhqMethod(ArhqOptions options);
  absl::StatusOr<QuantizedUnit> Quantize(const UnitWork& work, const Cancellation& cancellation,
                                         const Progress& progress) const override;

 private:
  absl::StatusOr<at::Tensor> ResidualMoment(const UnitWork& work, const LinearWork& linear) const;
  absl::Status Split(const at::Tensor& moment, c10::ScalarType stored_type, const Cancellation& cancellation,
                     LinearWork& linear) const;

  const ArhqOptions options_;
  const std::unique_ptr<Method> base_;
};

}  // namespace heroq
