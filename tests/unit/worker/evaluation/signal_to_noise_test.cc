#include "worker/evaluation/signal_to_noise.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/forward/activation_quantizer.h"

namespace heroq {
namespace {

double SquaredNorm(const at::Tensor& values) { return values.square().sum(at::kDouble).item<double>(); }

TEST(SignalToNoiseTest, IsThatOfTheOutputsThemselves) {
  const at::Tensor x = at::randn({400, 12});
  const at::Tensor q = QuantizeActivations(x, 4);
  const at::Tensor weight = at::randn({7, 12});
  const at::Tensor branch = at::mm(at::randn({7, 2}), at::randn({2, 12}));
  const at::Tensor rest = weight - branch;
  const at::Tensor stored = rest + 0.05 * at::randn({7, 12});
  const at::Tensor exact = at::mm(x, weight.t());
  const at::Tensor ours = at::mm(q, stored.t()) + at::mm(x, branch.t());
  const double expected = 10 * std::log10(SquaredNorm(exact) / SquaredNorm(exact - ours));
  const auto ratio = SignalToNoiseDb(weight, rest, stored, MeasureActivations(x, q));
  ASSERT_TRUE(ratio.has_value());
  EXPECT_NEAR(*ratio, expected, 1e-3);
}

TEST(SignalToNoiseTest, NothingHasNoRatio) {
  const at::Tensor x = at::randn({10, 4});
  const at::Tensor zeros = at::zeros({3, 4});
  const at::Tensor weight = at::randn({3, 4});
  EXPECT_FALSE(SignalToNoiseDb(zeros, zeros, zeros, MeasureActivations(x, x)).has_value());
  EXPECT_FALSE(SignalToNoiseDb(weight, weight, weight, MeasureActivations(x, x)).has_value());
}

}  // namespace
}  // namespace heroq
