#include "worker/transform/rotation_loss.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "common/status/status_macros.h"
#include "worker/transform/group_rounding.h"

namespace heroq {
namespace {

// Elements of a piece: half a megabyte of float32.
constexpr int64_t kPieceElements = 128 * 1024;

at::Tensor EvenlySpacedRows(const at::Tensor& weight, int64_t max_rows) {
  const int64_t rows = weight.size(0);
  if (rows <= max_rows) return weight;
  const at::Tensor index = at::arange(max_rows, at::TensorOptions(at::kLong).device(weight.device()))
                               .mul_(rows)
                               .floor_divide_(max_rows);
  return weight.index_select(0, index);
}

double InnerProduct(const at::Tensor& a, const at::Tensor& b) { return a.mul(b).sum().item<double>(); }

}  // namespace

RotationLoss::RotationLoss(const RotationProblem& problem, int64_t block, ErrorMetric metric,
                           int64_t max_rows)
    : scheme_(problem.scheme),
      block_(block),
      blocks_(problem.weight.size(1) / block),
      group_length_(problem.scheme.group_length(problem.weight.size(1))),
      rotation_of_block_(
          at::tensor(problem.rotation_of_block, at::TensorOptions(at::kLong)).to(problem.weight.device())) {
  if (metric == ErrorMetric::kOutput) {
    matrix_ = problem.second_moment;
  } else {
    diagonal_ = problem.second_moment.diagonal().sqrt().view({blocks_, 1, block_});
  }
  const at::Tensor weight = EvenlySpacedRows(problem.weight, max_rows);
  const int64_t step = std::max<int64_t>(1, kPieceElements / weight.size(1));
  for (int64_t row = 0; row < weight.size(0); row += step) {
    const at::Tensor rows = weight.slice(0, row, std::min(row + step, weight.size(0)));
    const at::Tensor piece = rows.reshape({rows.size(0), blocks_, block_}).transpose(0, 1).contiguous();
    energy_ += InnerProduct(piece, Weigh(piece));
    pieces_.push_back(piece);
  }
}

at::Tensor RotationLoss::Weigh(const at::Tensor& error) const {
  if (diagonal_.defined()) return error.mul(diagonal_);
  const int64_t rows = error.size(1);
  const at::Tensor product = error.transpose(0, 1).reshape({rows, blocks_ * block_}).mm(matrix_);
  return product.view({rows, blocks_, block_}).transpose(0, 1).contiguous();
}

at::Tensor RotationLoss::ToGroups(const at::Tensor& blocks) const {
  if (block_ % group_length_ == 0) return blocks.view({blocks_, -1, group_length_});
  return blocks.transpose(0, 1).reshape({-1, group_length_});
}

at::Tensor RotationLoss::ToBlocks(const at::Tensor& groups) const {
  if (block_ % group_length_ == 0) return groups.view({blocks_, -1, block_});
  return groups.view({-1, blocks_, block_}).transpose(0, 1).contiguous();
}

absl::StatusOr<RotationGradient> RotationLoss::Evaluate(const at::Tensor& rotations,
                                                        const Cancellation& cancellation) const {
  const at::Tensor rotation = rotations.index_select(0, rotation_of_block_);
  const at::Tensor inverse = rotation.transpose(1, 2).contiguous();
  at::Tensor by_block = at::zeros_like(rotation);
  RotationGradient result;
  for (const at::Tensor& piece : pieces_) {
    HEROQ_RETURN_IF_ERROR(cancellation.Check());
    const GroupRounding rounding = RoundGroups(ToGroups(piece.bmm(rotation)), scheme_);
    const at::Tensor rounded = ToBlocks(rounding.rounded);
    const at::Tensor error = at::baddbmm(piece, rounded, inverse, /*beta=*/-1);
    const at::Tensor weighed = Weigh(error);
    result.loss += InnerProduct(error, weighed);
    const at::Tensor by_rotated = ToBlocks(DifferentiateRounding(rounding, ToGroups(weighed.bmm(rotation))));
    by_block.baddbmm_(weighed.transpose(1, 2), rounded).baddbmm_(piece.transpose(1, 2), by_rotated);
  }
  result.loss /= energy_;
  result.by_rotation =
      at::zeros_like(rotations).index_add_(0, rotation_of_block_, by_block).mul_(2 / energy_);
  return result;
}

}  // namespace heroq
