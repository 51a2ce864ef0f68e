#include "worker/transform/lanczos.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

// Steps between two looks at the Ritz values.
constexpr int kLook = 16;
constexpr double kSettled = 0.01;
// Below this share of the largest Ritz value a new direction is float32 rounding.
constexpr double kExhausted = 1e-6;

// Signs by the SplitMix64 sequence: without structure that an eigenvector could be orthogonal to.
at::Tensor SignVector(int64_t size, uint64_t seed) {
  at::Tensor signs = at::empty({size}, at::kFloat);
  float* data = signs.data_ptr<float>();
  for (int64_t i = 0; i < size; ++i) {
    uint64_t bits = (seed * static_cast<uint64_t>(size) + static_cast<uint64_t>(i) + 1) * 0x9E3779B97F4A7C15;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    data[i] = (bits >> 63) != 0 ? 1.0f : -1.0f;
  }
  return signs;
}

double Norm(const at::Tensor& vector) { return at::linalg_vector_norm(vector).item<double>(); }

class Iteration {
 public:
  Iteration(const at::Tensor& matrix, int max_steps)
      : matrix_(matrix),
        basis_(at::empty({max_steps + 1, matrix.size(0)}, matrix.options())),
        tridiagonal_(at::zeros({max_steps + 1, max_steps + 1}, at::kDouble)) {
    Start(0);
  }

  int steps() const { return steps_; }
  // False when the matrix has values that are not finite.
  bool Step() {
    at::Tensor next = matrix_.mv(basis_[steps_]);
    const double diagonal = next.dot(basis_[steps_]).item<double>();
    if (!std::isfinite(diagonal)) return false;
    largest_ = std::max(largest_, std::abs(diagonal));
    next = Reorthogonalised(next, steps_ + 1);
    double link = Norm(next);
    auto entries = tridiagonal_.accessor<double, 2>();
    entries[steps_][steps_] = diagonal;
    ++steps_;
    if (steps_ == matrix_.size(0)) return true;
    if (link > kExhausted * largest_) {
      entries[steps_ - 1][steps_] = entries[steps_][steps_ - 1] = link;
      basis_[steps_].copy_(next.div_(link));
    } else {
      Start(steps_);
    }
    return true;
  }

  // Ritz values increasing, and the vectors in terms of the basis, one a column.
  void Look() {
    std::tie(values_, vectors_) = at::linalg_eigh(tridiagonal_.slice(0, 0, steps_).slice(1, 0, steps_));
  }
  const at::Tensor& values() const { return values_; }
  double smallest() const { return values_[0].item<double>(); }
  // Ritz vectors of the `count` largest values, [count, n], decreasing.
  at::Tensor TopVectors(int64_t count) const {
    const at::Tensor weights = vectors_.slice(1, steps_ - count).flip(1).t().to(basis_.options());
    return weights.mm(basis_.slice(0, 0, steps_));
  }
  // The largest ||H v - lambda v|| / (lambda + shift) of the `count` largest values.
  double WorstResidual(int64_t count, double shift) const {
    if (steps_ == matrix_.size(0)) return 0;
    const double link = tridiagonal_[steps_ - 1][steps_].item<double>();
    const at::Tensor residuals = vectors_[steps_ - 1].slice(0, steps_ - count).abs().mul(link);
    return residuals.div(values_.slice(0, steps_ - count).add(shift)).max().item<double>();
  }

 private:
  // Twice is enough for orthogonality to working precision.
  at::Tensor Reorthogonalised(at::Tensor vector, int64_t count) const {
    const at::Tensor known = basis_.slice(0, 0, count);
    for (int pass = 0; pass < 2; ++pass) vector = vector.addmv(known.t(), known.mv(vector), 1, -1);
    return vector;
  }

  void Start(int64_t row) {
    at::Tensor vector = SignVector(matrix_.size(0), static_cast<uint64_t>(row)).to(matrix_.options());
    if (row > 0) vector = Reorthogonalised(vector, row);
    basis_[row].copy_(vector.div(Norm(vector)));
  }

  const at::Tensor& matrix_;
  at::Tensor basis_;        // [max_steps + 1, n]
  at::Tensor tridiagonal_;  // float64
  at::Tensor values_;
  at::Tensor vectors_;
  double largest_ = 0;
  int steps_ = 0;
};

}  // namespace

double Spectrum::largest() const { return eigenvalues[0].item<double>(); }

double Spectrum::condition_number() const {
  return smallest > 0 ? largest() / smallest : std::numeric_limits<double>::infinity();
}

absl::StatusOr<Spectrum> ComputeSpectrum(const at::Tensor& matrix, double shift,
                                         const LanczosOptions& options, const Cancellation& cancellation) {
  const OneThreadScope one_thread;
  const int64_t size = matrix.size(0);
  const int64_t count = std::min<int64_t>(options.eigenpairs, size);
  const int max_steps =
      static_cast<int>(std::min<int64_t>(size, std::max<int64_t>(options.max_steps, count)));
  Iteration iteration(matrix, max_steps);
  Spectrum spectrum;
  while (iteration.steps() < max_steps && !spectrum.converged) {
    HEROQ_RETURN_IF_ERROR(cancellation.Check());
    if (!iteration.Step()) {
      return MakeError(Reason::kNumericalFailure,
                       absl::StrCat("spectrum: a matrix of ", size, " inputs holds NaN or Inf"));
    }
    const bool last = iteration.steps() == max_steps;
    if (!last && (iteration.steps() % kLook != 0 || iteration.steps() < count)) continue;
    const double before = spectrum.smallest;
    const bool first_look = spectrum.steps == 0;
    iteration.Look();
    spectrum.steps = iteration.steps();
    spectrum.smallest = iteration.smallest() + shift;
    const bool settled = !first_look && before - spectrum.smallest <= kSettled * before;
    spectrum.converged =
        iteration.steps() == size || (settled && iteration.WorstResidual(count, shift) <= options.tolerance);
  }
  spectrum.eigenvalues = iteration.values().slice(0, iteration.steps() - count).flip(0).add(shift);
  spectrum.eigenvectors = iteration.TopVectors(count);
  return spectrum;
}

}  // namespace heroq
