#include "worker/forward/rms_norm.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(RmsNormTest, DividesByTheRootMeanSquare) {
  // mean(x^2) of (3, 4, 0, 5) is 12.5, with epsilon 3.5 it is 16.
  const at::Tensor x = at::tensor({3.f, 4.f, 0.f, 5.f}).view({1, 4});
  const at::Tensor y = RmsNorm(x, at::tensor({1.f, 2.f, 1.f, -1.f}), 3.5);
  EXPECT_TRUE(at::allclose(y, at::tensor({0.75f, 2.f, 0.f, -1.25f}).view({1, 4})));
}

TEST(RmsNormTest, RoundsBeforeTheGainIsApplied) {
  // 1 / sqrt(1 + 2^-6) = 0.992278 is 0.9921875 in bfloat16; times 1.5 that is 190.5 / 128, a tie that goes to
  // 190 / 128. Rounded only at the end, 0.992278 * 1.5 = 190.517 / 128 would become 191 / 128.
  const at::Tensor x = at::tensor({1.f}).to(at::kBFloat16).view({1, 1});
  const at::Tensor y = RmsNorm(x, at::tensor({1.5f}).to(at::kBFloat16), 0x1p-6);
  EXPECT_EQ(y.item<float>(), 190.f / 128.f);
}

TEST(RmsNormTest, SquaresDoNotOverflowBfloat16Ranges) {
  const at::Tensor x = at::tensor({1e15f, -1e15f}).to(at::kBFloat16).view({1, 2});
  const at::Tensor y = RmsNorm(x, at::tensor({1.f, 1.f}).to(at::kBFloat16), 1e-5);
  EXPECT_TRUE(at::equal(y, at::tensor({1.f, -1.f}).to(at::kBFloat16).view({1, 2})));
}

}  // namespace
}  // namespace heroq
