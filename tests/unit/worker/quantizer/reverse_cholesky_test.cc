#include "worker/quantizer/reverse_cholesky.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "worker/quantizer/aligned_buffer.h"

namespace heroq {
namespace {

// A A^T / size + I / 10.
template <typename T>
AlignedBuffer<T> PositiveDefinite(int64_t size) {
  std::mt19937 generator(11);
  std::normal_distribution<double> normal;
  std::vector<double> a(size * size);
  for (double& value : a) value = normal(generator);
  AlignedBuffer<T> matrix(size * size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = i == j ? 0.1 * size : 0;
      for (int64_t k = 0; k < size; ++k) sum += a[i * size + k] * a[j * size + k];
      matrix[i * size + j] = matrix[j * size + i] = static_cast<T>(sum / static_cast<double>(size));
    }
  }
  return matrix;
}

// Largest |(S^T S - H)_ij|.
template <typename T>
double ReconstructionError(const AlignedBuffer<T>& factor, const AlignedBuffer<T>& matrix, int64_t size) {
  double largest = 0;
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t c = i; c < size; ++c)
        sum += static_cast<double>(factor[c * size + i]) * factor[c * size + j];
      largest = std::max(largest, std::abs(sum - matrix[i * size + j]));
    }
  }
  return largest;
}

template <typename T>
void ExpectFactorReproducesTheMatrix(double tolerance) {
  for (const Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    if (!IsSupported(isa)) continue;
    // One block, one panel, several panels with a short one at the top.
    for (const int64_t size : {48, 192, 432}) {
      const AlignedBuffer<T> matrix = PositiveDefinite<T>(size);
      AlignedBuffer<T> factor = PositiveDefinite<T>(size);
      ASSERT_TRUE(FactorReverse(KernelsFor(isa), size, factor.data()));
      EXPECT_LT(ReconstructionError(factor, matrix, size), tolerance) << size;
    }
  }
}

TEST(ReverseCholeskyTest, Float32FactorReproducesTheMatrix) { ExpectFactorReproducesTheMatrix<float>(2e-6); }

TEST(ReverseCholeskyTest, Float64FactorReproducesTheMatrix) {
  ExpectFactorReproducesTheMatrix<double>(1e-14);
}

TEST(ReverseCholeskyTest, PaddedSizeIsTheNextMultipleOfABlock) {
  EXPECT_EQ(PaddedFactorSize(1), 48);
  EXPECT_EQ(PaddedFactorSize(576), 576);
  EXPECT_EQ(PaddedFactorSize(577), 624);
}

TEST(ReverseCholeskyTest, AnIndefiniteMatrixIsRefusedWhereverItsPivotIs) {
  constexpr int64_t kSize = 240;
  for (const int64_t at : {0, 100, 239}) {
    AlignedBuffer<float> matrix = PositiveDefinite<float>(kSize);
    matrix[at * kSize + at] = -1;
    EXPECT_FALSE(FactorReverse(KernelsFor(BestIsa()), kSize, matrix.data())) << at;
  }
}

TEST(ReverseCholeskyTest, NotANumberIsRefused) {
  constexpr int64_t kSize = 240;
  AlignedBuffer<float> matrix = PositiveDefinite<float>(kSize);
  matrix[200 * kSize + 7] = NAN;
  EXPECT_FALSE(FactorReverse(KernelsFor(BestIsa()), kSize, matrix.data()));
}

}  // namespace
}  // namespace heroq
