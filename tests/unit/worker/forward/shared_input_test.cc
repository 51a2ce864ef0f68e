#include "worker/forward/shared_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "worker/forward/activation_quantizer.h"

namespace heroq {
namespace {

TEST(SharedInputTest, EachLinearMeetsTheInputWithItsOwnBits) {
  const at::Tensor x = at::randn({2, 3, 8});
  LinearWeights linear{at::randn({5, 8}), at::randn({5})};
  SharedInput input(x);
  EXPECT_TRUE(at::equal(input.Apply(linear), at::linear(x, linear.weight, linear.bias)));
  for (const int bits : {4, 8, 4}) {
    linear.activation_bits = bits;
    EXPECT_TRUE(
        at::equal(input.Apply(linear), at::linear(QuantizeActivations(x, bits), linear.weight, linear.bias)));
  }
}

TEST(SharedInputTest, BranchesMeetTheInputAsItIs) {
  const at::Tensor x = at::randn({2, 3, 8});
  LinearWeights linear{at::randn({5, 8}), {}, 4};
  linear.branch_down = at::randn({2, 8});
  linear.branch_up = at::randn({5, 2});
  const at::Tensor expected = at::linear(QuantizeActivations(x, 4), linear.weight) +
                              at::linear(at::linear(x, linear.branch_down), linear.branch_up);
  EXPECT_TRUE(at::allclose(SharedInput(x).Apply(linear), expected, 1e-5, 1e-6));
  const at::Tensor narrow = x.to(at::kBFloat16);
  linear.weight = linear.weight.to(at::kBFloat16);
  EXPECT_EQ(SharedInput(narrow).Apply(linear).scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace heroq
