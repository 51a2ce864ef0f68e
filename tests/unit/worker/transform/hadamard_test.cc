#include "worker/transform/hadamard.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heroq {
namespace {

double Largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

TEST(HadamardTest, SizesAreTheLargestPowersOfTwoThatDivide) {
  EXPECT_EQ(HadamardSize(576, 576), 64);
  EXPECT_EQ(HadamardSize(576, 32), 32);
  EXPECT_EQ(HadamardSize(4096, 4096), 4096);
  EXPECT_EQ(HadamardSize(14336, 1 << 20), 2048);
  EXPECT_EQ(HadamardSize(9, 64), 1);
}

TEST(HadamardTest, TheMatrixIsSylvesters) {
  // H_2 (x) H_2 over 2.
  const at::Tensor expected =
      at::tensor({1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0})
          .view({4, 4}) /
      2;
  EXPECT_EQ(Largest(HadamardMatrix(4, at::kDouble) - expected), 0);
  const at::Tensor wide = HadamardMatrix(64, at::kDouble);
  EXPECT_LT(Largest(at::matmul(wide, wide.t()) - at::eye(64, at::kDouble)), 1e-14);
}

TEST(HadamardTest, BigBlocksAreMultipliedAsProductsOfSmallOnes) {
  for (const int64_t size : {2, 64, 128, 256, 1024, 16384}) {
    const at::Tensor values = at::sin(at::arange(2 * 3 * size, at::kDouble)).view({2, 3 * size});
    const at::Tensor product = MultiplyHadamard(values, size);
    // The matrix is its own inverse, and the first of its columns sums a block.
    EXPECT_LT(Largest(MultiplyHadamard(product, size) - values), 1e-12) << size;
    const double sum = values.narrow(1, 0, size).sum().item<double>() / std::sqrt(static_cast<double>(size));
    const double second =
        values[0].narrow(0, 0, size).sum().item<double>() / std::sqrt(static_cast<double>(size));
    EXPECT_NEAR(product[0][0].item<double>(), second, 1e-11) << size;
    EXPECT_NEAR((product[0][0] + product[1][0]).item<double>(), sum, 1e-11) << size;
  }
  const at::Tensor values = at::sin(at::arange(512, at::kDouble)).view({2, 256});
  EXPECT_LT(Largest(MultiplyHadamard(values, 256) - at::matmul(values, HadamardMatrix(256, at::kDouble))),
            1e-13);
}

TEST(HadamardTest, RandomMatricesAreOrthogonalAndFollowTheirKey) {
  const at::Tensor a = RandomOrthogonal(RandomStream(1, 2, 3), 20);
  EXPECT_LT(Largest(at::matmul(a, a.t()) - at::eye(20, at::kDouble)), 1e-13);
  EXPECT_EQ(Largest(a - RandomOrthogonal(RandomStream(1, 2, 3), 20)), 0);
  EXPECT_GT(Largest(a - RandomOrthogonal(RandomStream(1, 2, 4), 20)), 0.1);
  EXPECT_GT(Largest(a - RandomOrthogonal(RandomStream(2, 2, 3), 20)), 0.1);
}

TEST(HadamardTest, SignsAreBalanced) {
  const at::Tensor signs = RandomSigns(RandomStream(7, 1), 10000, at::kDouble);
  EXPECT_EQ(Largest(signs.abs() - 1), 0);
  // Five standard deviations of a fair coin.
  EXPECT_LT(std::abs(signs.sum().item<double>()), 500);
}

// The reference implementation of SplitMix64 with seed 1234567 gives 6457827717110365317 first.
TEST(HadamardTest, TheStreamMixesAsSplitMix64) {
  struct Probe {
    static uint64_t Mix(uint64_t value) {
      value += 0x9e3779b97f4a7c15;
      value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
      value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
      return value ^ (value >> 31);
    }
  };
  ASSERT_EQ(Probe::Mix(1234567), 6457827717110365317u);
  const uint64_t key = Probe::Mix(Probe::Mix(Probe::Mix(Probe::Mix(5) ^ 6) ^ 7) ^ 8);
  EXPECT_EQ(RandomStream(5, 6, 7, 8).Bits(3), Probe::Mix(key + 3 * 0x9e3779b97f4a7c15u));
}

}  // namespace
}  // namespace heroq
