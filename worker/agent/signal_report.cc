#include "worker/agent/signal_report.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>

#include <optional>

#include "worker/evaluation/signal_to_noise.h"
#include "worker/methods/host_matrix.h"

namespace heroq {

void SetSignalToNoise(const LinearWork& linear, const LayerStatistics& statistics,
                      absl::Span<const float> error, v1::LinearReport& report) {
  report.set_branch_rank(static_cast<int32_t>(linear.branch.rank()));
  if (!linear.scheme.quantizes_activations() || statistics.kept == nullptr) return;
  const at::Tensor rest = HostMatrix(linear.weight);
  const at::Tensor stored = rest + at::from_blob(const_cast<float*>(error.data()), rest.sizes(), at::kFloat);
  const at::Tensor weight =
      linear.branch.defined() ? at::addmm(rest, HostMatrix(linear.branch.up), HostMatrix(linear.branch.down))
                              : rest;
  const std::optional<double> ratio =
      SignalToNoiseDb(weight, rest, stored, statistics.kept->Moments(linear.scheme.activation_bits));
  if (ratio.has_value()) report.set_signal_to_noise_db(*ratio);
}

}  // namespace heroq
