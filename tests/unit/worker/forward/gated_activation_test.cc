#include "worker/forward/gated_activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <gtest/gtest.h>

#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

TEST(GatedActivationTest, IsSiluOfTheGateTimesTheOther) {
  for (const c10::ScalarType dtype : {at::kDouble, at::kFloat, at::kBFloat16}) {
    at::Tensor gate = at::randn({2, 33, 150}).to(dtype);
    const at::Tensor up = at::randn({2, 33, 150}).to(dtype);
    const at::Tensor expected = at::silu(gate.to(at::kDouble)) * up.to(at::kDouble);
    MultiplySilu(gate, up);
    // Two roundings, each by half a step.
    const double tolerance = dtype == at::kBFloat16 ? 0x1p-7 : 1e-6;
    EXPECT_TRUE(at::allclose(gate.to(at::kDouble), expected, tolerance, 1e-6)) << toString(dtype);
  }
}

TEST(GatedActivationTest, ThreadsDoNotChangeABit) {
  const at::Tensor gate = at::randn({300, 777}).to(at::kBFloat16),
                   up = at::randn({300, 777}).to(at::kBFloat16);
  const auto run = [&](int threads) {
    SetTaskThreads(threads);
    at::Tensor gated = gate.clone();
    MultiplySilu(gated, up);
    return gated;
  };
  EXPECT_TRUE(at::equal(run(2), run(1)));
}

}  // namespace
}  // namespace heroq
