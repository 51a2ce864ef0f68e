#include "worker/calibration/kept_activations.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "worker/forward/activation_quantizer.h"

namespace heroq {
namespace {

// Tokens that are in float32 at once.
constexpr int64_t kTokensAtOnce = 2048;

}  // namespace

at::Tensor ActivationMoments::Original() const { return quantized + cross + cross.t() + residual; }

ActivationMoments MeasureActivations(const at::Tensor& rows, const at::Tensor& quantized) {
  const int64_t inputs = rows.size(1);
  const auto square = [&] { return at::zeros({inputs, inputs}, at::kFloat); };
  ActivationMoments moments{square(), square(), square(), rows.size(0)};
  for (int64_t begin = 0; begin < rows.size(0); begin += kTokensAtOnce) {
    const int64_t size = std::min(kTokensAtOnce, rows.size(0) - begin);
    const at::Tensor q = quantized.narrow(0, begin, size).to(at::kFloat);
    const at::Tensor e = rows.narrow(0, begin, size).to(at::kFloat) - q;
    moments.quantized.addmm_(q.t(), q);
    moments.cross.addmm_(q.t(), e);
    moments.residual.addmm_(e.t(), e);
  }
  return moments;
}

const ActivationMoments& KeptActivations::Moments(int bits) const {
  const auto known = moments_.find(bits);
  if (known != moments_.end()) return known->second;
  return moments_.emplace(bits, MeasureActivations(rows_, QuantizeActivations(rows_, bits))).first->second;
}

}  // namespace heroq
