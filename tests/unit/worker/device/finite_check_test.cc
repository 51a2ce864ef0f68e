#include "worker/device/finite_check.h"

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

namespace heroq {
namespace {

TEST(CountNonFiniteTest, CountsNanAndBothInfinitiesOfEveryType) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const c10::ScalarType dtype : {at::kBFloat16, at::kHalf, at::kFloat, at::kDouble}) {
    at::Tensor values = at::randn({10007}).to(dtype);
    EXPECT_EQ(CountNonFinite(values), 0) << dtype;
    values[0] = kInfinity;
    values[4096] = -kInfinity;
    values[10006] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(CountNonFinite(values), 3) << dtype;
    EXPECT_EQ(CountNonFinite(values.fill_(-kInfinity)), 10007) << dtype;
  }
}

TEST(CountNonFiniteTest, LargestValuesAreFinite) {
  const at::Tensor values = at::zeros({2}, at::kBFloat16);
  values[0] = 3.38953139e38f;  // the largest bfloat16
  values[1] = -3.38953139e38f;
  EXPECT_EQ(CountNonFinite(values), 0);
}

}  // namespace
}  // namespace heroq
