#include "worker/transform/group_rounding.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

at::Tensor Row(std::vector<double> values) { return at::tensor(values, at::kDouble).unsqueeze(0); }

QuantScheme Scheme(int bits, bool symmetric) {
  QuantScheme scheme;
  scheme.weight_bits = bits;
  scheme.symmetric = symmetric;
  return scheme;
}

void ExpectEqual(const at::Tensor& found, std::vector<double> expected) {
  EXPECT_TRUE(at::allclose(found, Row(std::move(expected)), 0, 1e-12)) << found;
}

TEST(GroupRoundingTest, AsymmetricGroupsReachFromTheirSmallestToTheirLargestValue) {
  // s = (2 + 1) / 3 = 1, z = 1, levels -1 0 1 2.
  const GroupRounding rounding = RoundGroups(Row({-1, 0.4, 2, 0.6}), Scheme(2, false));
  ExpectEqual(rounding.rounded, {-1, 0, 2, 1});
  ExpectEqual(rounding.scale_derivative, {0, -0.4, 0, 0.4});
}

TEST(GroupRoundingTest, TheRangeOfAGroupOfOneSignHoldsZero) {
  // s = 6 / 3 = 2, z = 0.
  const GroupRounding rounding = RoundGroups(Row({3, 5.5, 6, 3.5}), Scheme(2, false));
  ExpectEqual(rounding.rounded, {4, 6, 6, 4});
  // dQ/ds of 3: 2 - 1.5, of 5.5: 3 - 2.75, of 3.5: 2 - 1.75. Only the largest value moves s, by 1/3.
  ExpectEqual(DifferentiateRounding(rounding, Row({1, 1, 1, 1})), {1, 1, 1 + (0.5 + 0.25 + 0.25) / 3, 1});
}

TEST(GroupRoundingTest, BothEndsOfARangeMoveTheScale) {
  const GroupRounding rounding = RoundGroups(Row({-1, 0.4, 2, 0.6}), Scheme(2, false));
  // sum of upstream dQ/ds = -0.4 a + 0.4 b with a = 1, b = 3.
  ExpectEqual(DifferentiateRounding(rounding, Row({5, 1, 7, 3})), {5 - 0.8 / 3, 1, 7 + 0.8 / 3, 3});
}

TEST(GroupRoundingTest, SymmetricGroupsClampTheirLargestPositiveValue) {
  // s = 2 * 3 / 3 = 2, codes -2 .. 1: 3 / 2 rounds to 2 and is clamped to 1.
  const GroupRounding rounding = RoundGroups(Row({3, -2.6, 0.8, 0}), Scheme(2, true));
  ExpectEqual(rounding.rounded, {2, -2, 0, 0});
  EXPECT_FALSE(rounding.inside[0][0].item<bool>());
  EXPECT_TRUE(rounding.inside[0][1].item<bool>());
  // dQ/ds: 1 (clamped), -1 + 1.3, 0 - 0.4, 0; s gains 2/3 per unit of the largest value, which itself is
  // clamped.
  ExpectEqual(DifferentiateRounding(rounding, Row({1, 1, 1, 1})), {(1 + 0.3 - 0.4) * 2 / 3, 1, 1, 1});
}

TEST(GroupRoundingTest, SymmetricGroupsPutTheirLargestNegativeValueOnTheOuterCode) {
  // In float32 the quotient of some of these is below 7.5, of some above.
  for (int i = 1; i < 200; ++i) {
    const float largest = 0.01f * static_cast<float>(i);
    const at::Tensor values = at::tensor({-largest, 0.0f}, at::kFloat).unsqueeze(0);
    const GroupRounding rounding = RoundGroups(values, Scheme(4, true));
    EXPECT_FLOAT_EQ(rounding.rounded[0][0].item<float>(), -16 * largest / 15) << largest;
    // A more negative value widens the scale: d|x|/dx = -1.
    EXPECT_FLOAT_EQ(rounding.top_slope.item<float>(), -2.0f / 15);
  }
}

TEST(GroupRoundingTest, AGroupOfZerosStaysZeroAndPassesDerivativesThrough) {
  for (const bool symmetric : {false, true}) {
    const GroupRounding rounding = RoundGroups(at::zeros({1, 3}, at::kDouble), Scheme(4, symmetric));
    ExpectEqual(rounding.rounded, {0, 0, 0});
    ExpectEqual(DifferentiateRounding(rounding, Row({1, 2, 3})), {1, 2, 3});
  }
}

}  // namespace
}  // namespace heroq
