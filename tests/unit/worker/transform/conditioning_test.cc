#include "worker/transform/conditioning.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heroq {
namespace {

TEST(ConditioningScaleTest, IsThePowerOfTheDiagonalOverItsGeometricMean) {
  // h^(alpha / 2) = 2, 4, 8 with alpha = 1; the geometric mean is 4.
  const at::Tensor scale = ConditioningScale(at::tensor({4.0f, 16.0f, 64.0f}), 1);
  EXPECT_FLOAT_EQ(scale[0].item<float>(), 0.5f);
  EXPECT_FLOAT_EQ(scale[1].item<float>(), 1.0f);
  EXPECT_FLOAT_EQ(scale[2].item<float>(), 2.0f);
}

TEST(ConditioningScaleTest, DeadInputsAreFlooredAtAMillionthOfTheMean) {
  // Mean 1, so h = (2, 1e-6) and D^2 = (2, 1e-6) / sqrt(2e-6).
  const at::Tensor scale = ConditioningScale(at::tensor({2.0f, 0.0f}), 1);
  EXPECT_NEAR(scale[0].item<float>(), std::pow(2e6, 0.25), 1e-3);
  EXPECT_NEAR(scale[1].item<float>(), std::pow(2e6, -0.25), 1e-6);
}

TEST(ConditioningScaleTest, NothingToGoByIsTheIdentity) {
  EXPECT_EQ(ConditioningScale(at::zeros({3}), 0.5).sum().item<float>(), 3);
  EXPECT_EQ(ConditioningScale(at::tensor({1.0f, 9.0f}), 0).sum().item<float>(), 2);
}

TEST(ShareOverQueryHeadsTest, HeadsOfAGroupGetTheirMean) {
  // Four query heads of two channels over two value heads.
  const at::Tensor diagonal = at::tensor({1.0f, 2.0f, 3.0f, 4.0f, 10.0f, 20.0f, 30.0f, 40.0f});
  const at::Tensor expected = at::tensor({2.0f, 3.0f, 2.0f, 3.0f, 20.0f, 30.0f, 20.0f, 30.0f});
  EXPECT_EQ((ShareOverQueryHeads(diagonal, 4, 2) - expected).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace heroq
