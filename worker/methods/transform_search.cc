#include "worker/methods/transform_search.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "common/status/status_macros.h"
#include "worker/methods/host_matrix.h"
#include "worker/quantizer/output_energy.h"

namespace heroq {
namespace {

at::Tensor SampleRows(const at::Tensor& weight, int64_t count) {
  const int64_t rows = weight.size(0);
  if (rows <= count) return weight;
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back((2 * i + 1) * rows / (2 * count));
  return at::index_select(weight, 0, at::tensor(chosen, at::kLong).to(weight.device()));
}

}  // namespace

TransformScore::TransformScore(const UnitWork& work, LinearInput input, int64_t rows, const Method& base,
                               const Cancellation& cancellation)
    : base_(base), cancellation_(cancellation) {
  int64_t total = 0;
  for (const LinearWork& linear : work.linears) {
    if (linear.input == input) total += linear.weight.size(0);
  }
  for (const LinearWork& linear : work.linears) {
    if (linear.input != input) continue;
    LinearWork& sampled = sample_.linears.emplace_back(linear);
    const int64_t share = std::max<int64_t>(1, rows * linear.weight.size(0) / total);
    sampled.weight = SampleRows(linear.weight, share).to(at::kFloat);
  }
  sample_.statistics[input] = work.statistics.at(input);
  // Activations are scored as they are: rounding them anew for every basis would cost more than the search.
  sample_.statistics[input].kept = nullptr;
  diagonal_ = sample_.statistics[input].second_moment.diagonal().clone();
}

absl::StatusOr<std::vector<TransformScore::RowErrors>> TransformScore::Errors(
    const InputTransform& transform) const {
  UnitWork work = sample_;
  at::Tensor& moments = work.statistics.begin()->second.second_moment;
  moments = TransformMoments(moments, transform);
  for (LinearWork& linear : work.linears) linear.weight = TransformWeight(linear.weight, transform);
  HEROQ_ASSIGN_OR_RETURN(const QuantizedUnit unit, base_.Quantize(work, cancellation_, {}));
  const at::Tensor host = HostMatrix(moments);
  const OutputEnergy energy(KernelsFor(BestIsa()), Values(host), host.size(0));
  std::vector<RowErrors> errors;
  for (size_t i = 0; i < work.linears.size(); ++i) {
    const at::Tensor weight = HostMatrix(work.linears[i].weight);
    const absl::Span<const float> values = Values(weight);
    const std::vector<float> stored = Dequantize(unit.linears[i]);
    RowErrors& row_errors = errors.emplace_back();
    row_errors.name = work.linears[i].name;
    row_errors.error = at::tensor(stored, at::kFloat).view_as(weight) - weight;
    row_errors.output_error = energy.Of(Values(row_errors.error), weight.size(0));
    row_errors.output_energy = energy.Of(values, weight.size(0));
  }
  return errors;
}

double TransformScore::Relative(const std::vector<RowErrors>& errors) {
  double lost = 0;
  double total = 0;
  for (const RowErrors& linear : errors) {
    lost += linear.output_error;
    total += linear.output_energy;
  }
  return total > 0 ? lost / total : 0.0;
}

absl::StatusOr<double> TransformScore::operator()(const InputTransform& transform) const {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<RowErrors> errors, Errors(transform));
  return Relative(errors);
}

absl::StatusOr<AlphaChoice> SearchAlpha(const AlphaGrid& grid,
                                        const std::function<absl::StatusOr<double>(double alpha)>& score) {
  AlphaChoice choice;
  const auto add = [&](double alpha) -> absl::Status {
    HEROQ_ASSIGN_OR_RETURN(const double value, score(alpha));
    choice.curve.emplace_back(alpha, value);
    return absl::OkStatus();
  };
  const auto best = [&] {
    const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
    return *std::min_element(choice.curve.begin(), choice.curve.end(), less);
  };
  for (const double alpha : grid.alphas) HEROQ_RETURN_IF_ERROR(add(alpha));
  if (grid.refine_step > 0) {
    const double center = best().first;
    for (const double alpha : {center - grid.refine_step, center + grid.refine_step}) {
      if (alpha > grid.alphas.front() && alpha < grid.alphas.back()) HEROQ_RETURN_IF_ERROR(add(alpha));
    }
    std::sort(choice.curve.begin(), choice.curve.end());
  }
  std::tie(choice.alpha, choice.score) = best();
  return choice;
}

}  // namespace heroq
