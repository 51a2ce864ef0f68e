#include "worker/transform/lanczos.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/unit/worker/transform/rotation_fixture.h"
#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

at::Tensor SecondMoment(int64_t size) { return OutlierProblem(1, size, 1, 4).second_moment; }

// Against eigh: values, and vectors up to sign.
void ExpectTopPairs(const Spectrum& spectrum, const at::Tensor& matrix, double shift, double tolerance) {
  const auto [values, vectors] = at::linalg_eigh(matrix.to(at::kDouble));
  const int64_t count = spectrum.eigenvalues.numel();
  const at::Tensor expected = values.slice(0, values.numel() - count).flip(0).add(shift);
  EXPECT_TRUE(at::allclose(spectrum.eigenvalues, expected, tolerance, 0)) << spectrum.eigenvalues << expected;
  const at::Tensor top = vectors.slice(1, values.numel() - count).flip(1);
  const at::Tensor cosines = spectrum.eigenvectors.to(at::kDouble).mm(top).diagonal().abs();
  EXPECT_GE(cosines.min().item<double>(), 1 - 100 * tolerance) << cosines;
}

TEST(LanczosTest, TopPairsAgreeWithADenseSolver) {
  const OneThreadScope one_thread;
  for (const auto type : {at::kFloat, at::kDouble}) {
    const at::Tensor matrix = SecondMoment(300).to(type);
    LanczosOptions options;
    options.max_steps = 200;
    const auto spectrum = ComputeSpectrum(matrix, 7.0, options, {});
    ASSERT_TRUE(spectrum.ok()) << spectrum.status();
    EXPECT_TRUE(spectrum->converged);
    EXPECT_LT(spectrum->steps, 200);
    EXPECT_EQ(spectrum->eigenvalues.numel(), 8);
    ExpectTopPairs(*spectrum, matrix, 7.0, 1e-5);
    EXPECT_EQ(spectrum->largest(), spectrum->eigenvalues[0].item<double>());
  }
}

TEST(LanczosTest, TheSmallestRitzValueComesDownToTheSmallestEigenvalue) {
  const OneThreadScope one_thread;
  const at::Tensor matrix = SecondMoment(200);
  const double shift = 0.01 * matrix.diagonal().mean().item<double>();
  const double smallest = std::get<0>(at::linalg_eigh(matrix))[0].item<double>() + shift;
  LanczosOptions options;
  double before = std::numeric_limits<double>::infinity();
  for (const int steps : {16, 48, 200}) {
    options.max_steps = steps;
    options.tolerance = -1;  // never reached
    const auto spectrum = ComputeSpectrum(matrix, shift, options, {});
    EXPECT_GE(spectrum->smallest, smallest * (1 - 1e-9));
    EXPECT_LT(spectrum->smallest, before);
    EXPECT_EQ(spectrum->converged, steps == 200);
    EXPECT_DOUBLE_EQ(spectrum->condition_number(), spectrum->largest() / spectrum->smallest);
    before = spectrum->smallest;
  }
  EXPECT_NEAR(before, smallest, 1e-6 * smallest);
}

TEST(LanczosTest, SmallMatricesAreSolvedWhole) {
  const at::Tensor matrix = at::diag(at::tensor({3.0, 1.0, 2.0}, at::kDouble));
  const auto spectrum = ComputeSpectrum(matrix, 0, {}, {});
  ASSERT_TRUE(spectrum.ok()) << spectrum.status();
  EXPECT_TRUE(spectrum->converged);
  EXPECT_TRUE(at::allclose(spectrum->eigenvalues, at::tensor({3.0, 2.0, 1.0}, at::kDouble), 1e-12, 0));
  EXPECT_NEAR(std::abs(spectrum->eigenvectors[1][2].item<double>()), 1, 1e-12);
  EXPECT_NEAR(spectrum->condition_number(), 3, 1e-12);
}

TEST(LanczosTest, EqualEigenvaluesAreFoundOnceASubspaceIsExhausted) {
  // Every start is an eigenvector of the identity.
  const auto spectrum = ComputeSpectrum(at::eye(20, at::kFloat), 1.0, {}, {});
  ASSERT_TRUE(spectrum.ok()) << spectrum.status();
  EXPECT_TRUE(at::allclose(spectrum->eigenvalues, at::eye(8, at::kDouble).sum(0).mul(2), 1e-6, 0));
  const at::Tensor gram = spectrum->eigenvectors.mm(spectrum->eigenvectors.t());
  EXPECT_TRUE(at::allclose(gram, at::eye(8, at::kFloat), 0, 1e-5));
  EXPECT_NEAR(spectrum->condition_number(), 1, 1e-6);
}

TEST(LanczosTest, AMatrixWithoutInverseHasAnInfiniteConditionNumber) {
  const auto spectrum = ComputeSpectrum(at::diag(at::tensor({2.0, 0.0}, at::kDouble)), -1e-12, {}, {});
  EXPECT_EQ(spectrum->condition_number(), std::numeric_limits<double>::infinity());
}

TEST(LanczosTest, NumbersThatAreNotFiniteAndCancellationEndIt) {
  at::Tensor matrix = at::eye(5, at::kDouble);
  matrix[2][2] = std::nan("");
  EXPECT_TRUE(HasReason(ComputeSpectrum(matrix, 0, {}, {}).status(), Reason::kNumericalFailure));
  const Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_TRUE(
      HasReason(ComputeSpectrum(at::eye(5, at::kDouble), 0, {}, cancellation).status(), Reason::kCancelled));
}

}  // namespace
}  // namespace heroq
