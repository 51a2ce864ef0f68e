#include "worker/quantizer/gptq_aten.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "absl/types/span.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kPanel = 128;

// The grid per input in handling order, [columns, rows] each.
struct TransposedGrid {
  at::Tensor scale;
  at::Tensor zero;
};

TransposedGrid Transpose(const ScaleGrid& grid, const at::Tensor& order) {
  const std::vector<int64_t> shape = {grid.rows, grid.groups()};
  const at::Tensor group = order.floor_divide(grid.scheme.group_length(grid.columns));
  const at::Tensor scale = at::from_blob(const_cast<float*>(grid.scales.data()), shape, at::kFloat);
  const at::Tensor zero = at::from_blob(const_cast<uint8_t*>(grid.zeros.data()), shape, at::kByte);
  return {scale.to(order.device()).t().index_select(0, group),
          zero.to(order.device()).to(at::kFloat).t().index_select(0, group)};
}

}  // namespace

absl::StatusOr<DeviceFactor> FactorHessianOnDevice(const at::Tensor& second_moment,
                                                   const FactorOptions& options, const std::string& name) {
  const at::Tensor diagonal = second_moment.diagonal().to(at::kCPU).contiguous();
  const absl::Span<const float> values(diagonal.data_ptr<float>(), diagonal.numel());
  const std::vector<int32_t> order = HandlingOrder(values, options.act_order);

  DeviceFactor factor;
  factor.order = at::from_blob(const_cast<int32_t*>(order.data()), {diagonal.numel()}, at::kInt)
                     .to(second_moment.device(), at::kLong);
  const at::Tensor reversed =
      second_moment.index_select(0, factor.order).index_select(1, factor.order).flip({0, 1});
  HEROQ_ASSIGN_OR_RETURN(
      factor.damping, ClimbDampingLadder(values, options, name, [&](double shift, bool wide) {
        at::Tensor damped = reversed.to(wide ? at::kDouble : at::kFloat, false, /*copy=*/true);
        damped.diagonal().add_(shift);
        const auto [lower, info] = at::linalg_cholesky_ex(damped);
        if (info.item<int32_t>() != 0) return false;
        const at::Tensor upper = lower.flip({0, 1});
        const at::Tensor roots = upper.diagonal();
        factor.feedback = upper.div(roots).to(at::kFloat);
        factor.pivots = roots.mul(roots).to(at::kFloat);
        return true;
      }));
  return factor;
}

absl::StatusOr<GptqSolution> SolveGptqOnDevice(const at::Tensor& weight, const ScaleGrid& grid,
                                               const DeviceFactor& factor, const Cancellation& cancellation) {
  const TransposedGrid grids = Transpose(grid, factor.order);
  const at::Tensor inverse = grids.scale.reciprocal();
  // Weights of the inputs to come, errors of those handled: [columns, rows].
  at::Tensor errors = weight.t().index_select(0, factor.order);
  at::Tensor codes = at::empty(errors.sizes(), errors.options().dtype(at::kByte));
  at::Tensor loss = at::zeros({grid.rows}, errors.options());
  for (int64_t begin = 0; begin < grid.columns; begin += kPanel) {
    HEROQ_RETURN_IF_ERROR(cancellation.Check());
    const int64_t end = std::min(grid.columns, begin + kPanel);
    at::Tensor targets =
        at::addmm(errors.slice(0, begin, end), factor.feedback.slice(0, 0, begin).slice(1, begin, end).t(),
                  errors.slice(0, 0, begin));
    for (int64_t j = begin; j < end; ++j) {
      const at::Tensor target = targets.select(0, j - begin);
      const at::Tensor zero = grids.zero.select(0, j);
      const at::Tensor code =
          target.mul(inverse.select(0, j)).add_(zero).clamp_(0, grid.scheme.max_code()).round_();
      const at::Tensor dequantized = code.sub(zero).mul_(grids.scale.select(0, j));
      const at::Tensor step = target.sub(dequantized);
      loss.addcmul_(step.mul(step), factor.pivots.select(0, j));
      at::Tensor error = errors.select(0, j);
      error.sub_(dequantized);
      codes.select(0, j).copy_(code);
      targets.slice(0, j - begin + 1).addr_(factor.feedback.select(0, j).slice(0, j + 1, end), error);
    }
  }
  loss.sub_(errors.mul(errors).sum(0), factor.damping.shift);

  at::Tensor restored = at::empty_like(codes);
  restored.index_copy_(0, factor.order, codes);
  restored = restored.t().contiguous().to(at::kCPU);
  loss = loss.to(at::kCPU).contiguous();
  GptqSolution solution;
  const uint8_t* code_data = restored.data_ptr<uint8_t>();
  solution.codes.assign(code_data, code_data + restored.numel());
  const float* loss_data = loss.data_ptr<float>();
  solution.loss.assign(loss_data, loss_data + loss.numel());
  return solution;
}

}  // namespace heroq
