#include "worker/transform/spectral_evidence.h"

#include <ATen/ops/diag.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

// Eigenvalues 5, 3, 2 along the axes, two wanted.
Spectrum AxisSpectrum() {
  LanczosOptions options;
  options.eigenpairs = 2;
  return *ComputeSpectrum(at::diag(at::tensor({2.0, 5.0, 3.0}, at::kDouble)), 0, options, {});
}

TEST(SpectralEvidenceTest, SharesAreThoseOfTheErrorAlongTheTopEigenvectors) {
  // ||E||^2 = 1 + 4 + 4 + 1; along 5: 4, along 3: 4 + 1, along 2: 1. tr(E H E^T) = 20 + 15 + 2.
  const at::Tensor error = at::tensor({1.0, 2.0, 2.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 3});
  const SpectralEvidence evidence = MeasureEvidence(AxisSpectrum(), error, 37);
  EXPECT_EQ(evidence.eigenvalues.size(), 2);
  EXPECT_NEAR(evidence.eigenvalues[1], 3, 1e-12);
  EXPECT_NEAR(evidence.largest_eigenvalue, 5, 1e-12);
  EXPECT_NEAR(evidence.smallest_eigenvalue, 2, 1e-12);
  EXPECT_NEAR(evidence.condition_number, 2.5, 1e-12);
  EXPECT_EQ(evidence.error_energy, 37);
  EXPECT_NEAR(evidence.error_norm, 10, 1e-12);
  EXPECT_NEAR(evidence.norm_share, 0.9, 1e-12);
  EXPECT_NEAR(evidence.energy_share, 35.0 / 37, 1e-12);
}

TEST(SpectralEvidenceTest, SharesOfAZeroErrorAreZero) {
  const SpectralEvidence evidence = MeasureEvidence(AxisSpectrum(), at::zeros({2, 3}, at::kDouble), 0);
  EXPECT_EQ(evidence.error_norm, 0);
  EXPECT_EQ(evidence.norm_share, 0);
  EXPECT_EQ(evidence.energy_share, 0);
}

}  // namespace
}  // namespace heroq
