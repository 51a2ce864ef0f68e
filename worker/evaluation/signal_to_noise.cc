#include "worker/evaluation/signal_to_noise.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>

#include <cmath>

namespace heroq {
namespace {

// tr(A M B^T)
double Trace(const at::Tensor& a, const at::Tensor& moments, const at::Tensor& b) {
  return (at::mm(a, moments) * b).sum(at::kDouble).item<double>();
}

}  // namespace

std::optional<double> SignalToNoiseDb(const at::Tensor& weight, const at::Tensor& rest,
                                      const at::Tensor& stored, const ActivationMoments& moments) {
  const double signal = Trace(weight, moments.Original(), weight);
  // With e = x - q the noise is q D^T + e R^T, D = R - What: no difference of large sums.
  const at::Tensor error = rest - stored;
  const double noise = Trace(error, moments.quantized, error) + 2 * Trace(error, moments.cross, rest) +
                       Trace(rest, moments.residual, rest);
  if (!(signal > 0) || !(noise > 0)) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

}  // namespace heroq
