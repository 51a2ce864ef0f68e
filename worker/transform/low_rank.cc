#include "worker/transform/low_rank.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/transform/random_stream.h"

namespace heroq {
namespace {

// The purpose of a RandomStream.
constexpr uint64_t kRangeStart = 5;
constexpr int64_t kOversampling = 16;
constexpr int kPowerSteps = 3;

at::Tensor RandomMatrix(int64_t rows, int64_t columns) {
  const RandomStream stream(0, kRangeStart);
  at::Tensor matrix = at::empty({rows, columns}, at::kDouble);
  auto* values = matrix.mutable_data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) values[i] = stream.Uniform(static_cast<uint64_t>(i)) - 0.5;
  return matrix;
}

// Leading eigenvectors of a symmetric matrix, the largest eigenvalue first.
at::Tensor LeadingEigenvectors(const at::Tensor& matrix, int64_t count) {
  const auto [values, vectors] = at::linalg_eigh((matrix + matrix.t()) / 2);
  return vectors.narrow(1, vectors.size(1) - count, count).flip(1);
}

at::Tensor Orthonormal(const at::Tensor& matrix) { return std::get<0>(at::linalg_qr(matrix)); }

}  // namespace

absl::StatusOr<at::Tensor> LeadingDirections(const at::Tensor& weight, const at::Tensor& moment, int64_t rank,
                                             const Cancellation& cancellation) {
  const int64_t outputs = weight.size(0);
  const int64_t most = std::min(outputs, weight.size(1));
  if (rank < 1 || rank > most) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("a branch of rank ", rank, " of a linear of rank ", most, " at most"));
  }
  const at::Tensor w = weight.to(at::kCPU, at::kDouble);
  const at::Tensor g = moment.defined() ? moment.to(at::kCPU, at::kDouble) : at::Tensor();
  const auto apply = [&](const at::Tensor& y) {
    const at::Tensor inputs = at::mm(w.t(), y);
    return at::mm(w, g.defined() ? at::mm(g, inputs) : inputs);
  };
  at::Tensor basis;  // orthonormal columns; undefined is the identity
  at::Tensor product;
  if (outputs <= kExactOutputs) {
    product = at::mm(g.defined() ? at::mm(w, g) : w, w.t());
  } else {
    basis = RandomMatrix(outputs, std::min(rank + kOversampling, outputs));
    for (int step = 0; step <= kPowerSteps; ++step) {
      HEROQ_RETURN_IF_ERROR(cancellation.Check());
      basis = Orthonormal(apply(basis));
    }
    product = at::mm(basis.t(), apply(basis));
  }
  if (!at::isfinite(product).all().item<bool>()) {
    return MakeError(Reason::kNumericalFailure,
                     "low-rank branch: weight or residuals of the activations are not finite");
  }
  const at::Tensor vectors = LeadingEigenvectors(product, rank);
  return (basis.defined() ? at::mm(basis, vectors) : vectors).contiguous();
}

}  // namespace heroq
