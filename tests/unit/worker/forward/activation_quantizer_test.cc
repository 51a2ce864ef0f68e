#include "worker/forward/activation_quantizer.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

namespace heroq {
namespace {

TEST(ActivationQuantizerTest, EachRowHasItsOwnScale) {
  // 4 bits: scale 7.5 / 7.5 = 1 and 0.75 / 7.5 = 0.1, levels -8 to 7; 7.5 is clamped to 7, 2.5 rounds to
  // even.
  const at::Tensor x = at::tensor({7.5f, 2.5f, -3.4f, 0.75f, 0.12f, -0.26f}, at::kFloat).view({2, 3});
  const at::Tensor q = QuantizeActivations(x, 4);
  const at::Tensor expected = at::tensor({7.0f, 2.0f, -3.0f, 0.7f, 0.1f, -0.3f}, at::kFloat).view({2, 3});
  EXPECT_TRUE(at::allclose(q, expected, 1e-6, 1e-7)) << q;
}

TEST(ActivationQuantizerTest, TheLargestNegativeValueKeepsItsLevel) {
  // -7.5 / 1 is a tie between -8 and -7; ties go to even.
  EXPECT_EQ(QuantizeActivations(at::tensor({-7.5f, 1.0f}, at::kFloat).view({1, 2}), 4)[0][0].item<float>(),
            -8);
}

TEST(ActivationQuantizerTest, ZerosStayZeros) {
  const at::Tensor zeros = at::zeros({2, 5}, at::kBFloat16);
  EXPECT_TRUE(at::equal(QuantizeActivations(zeros, 8), zeros));
}

TEST(ActivationQuantizerTest, TheArgumentStaysAsItIs) {
  const at::Tensor x = at::tensor({0.3f, -0.7f}, at::kFloat).view({1, 2});
  const at::Tensor before = x.clone();
  QuantizeActivations(x, 4);
  EXPECT_TRUE(at::equal(x, before));
}

TEST(ActivationQuantizerTest, Nvfp4BlocksHaveTheirOwnScales) {
  at::Tensor x = at::zeros({1, 18}, at::kFloat);
  // First block: scale 6 / 6 = 1. Second, of two values: 0.65 / 6 = 0.10833 = 13.87 / 128, so 14 / 128 =
  // 0.109375.
  const std::vector<float> first = {6, -4.9f, 2.5f, 1.25f, -0.74f, 0.2f};
  for (size_t i = 0; i < first.size(); ++i) x[0][static_cast<int64_t>(i)] = first[i];
  x[0][16] = 0.65f;
  x[0][17] = -0.2f;
  const at::Tensor q = QuantizeActivationsNvfp4(x)[0];
  // Ties go to even codes: 2.5 is between 2 (code 4) and 3 (code 5), 1.25 between 1 (2) and 1.5 (3).
  const std::vector<float> expected = {6, -4, 2, 1, -0.5f, 0};
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(q[static_cast<int64_t>(i)].item<float>(), expected[i]);
  EXPECT_EQ(q[16].item<float>(), 6 * 0.109375f);
  EXPECT_EQ(q[17].item<float>(), -2 * 0.109375f);
}

}  // namespace
}  // namespace heroq
