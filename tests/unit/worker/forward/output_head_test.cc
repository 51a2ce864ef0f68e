#include "worker/forward/output_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "worker/forward/rms_norm.h"

namespace heroq {
namespace {

TEST(OutputHeadTest, LogitsOfBfloat16ModelsAreNotRoundedToBfloat16) {
  const at::Tensor gain = at::ones({64}, at::kBFloat16);
  const at::Tensor weight = at::randn({500, 64}).to(at::kBFloat16);
  const at::Tensor hidden = at::randn({33, 64}).to(at::kBFloat16);
  const at::Tensor logits = OutputHead(gain, weight, 1e-5).Logits(hidden).value();
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  const at::Tensor x = RmsNorm(hidden, gain, 1e-5).to(at::kDouble);
  EXPECT_TRUE(at::allclose(logits.to(at::kDouble), at::mm(x, weight.to(at::kDouble).t()), 1e-5, 1e-5));
}

TEST(OutputHeadTest, Float32ModelsAreComputedInFloat32) {
  const at::Tensor gain = at::ones({64});
  const at::Tensor weight = at::randn({500, 64});
  const at::Tensor hidden = at::randn({33, 64});
  const at::Tensor x = RmsNorm(hidden, gain, 1e-5).to(at::kDouble);
  const at::Tensor logits = OutputHead(gain, weight, 1e-5).Logits(hidden).value();
  EXPECT_TRUE(at::allclose(logits.to(at::kDouble), at::mm(x, weight.to(at::kDouble).t()), 1e-5, 1e-5));
}

}  // namespace
}  // namespace heroq
