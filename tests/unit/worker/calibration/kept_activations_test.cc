#include "worker/calibration/kept_activations.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "worker/forward/activation_quantizer.h"

namespace heroq {
namespace {

TEST(KeptActivationsTest, MomentsAreThoseOfRoundedRowsAndTheirErrors) {
  const at::Tensor rows = at::randn({5000, 6});
  const KeptActivations kept(rows);
  const ActivationMoments& moments = kept.Moments(4);
  EXPECT_EQ(moments.token_count, 5000);
  const at::Tensor q = QuantizeActivations(rows, 4);
  const at::Tensor e = rows - q;
  EXPECT_TRUE(at::allclose(moments.quantized, at::mm(q.t(), q), 1e-4, 1e-2));
  EXPECT_TRUE(at::allclose(moments.cross, at::mm(q.t(), e), 1e-4, 1e-2));
  EXPECT_TRUE(at::allclose(moments.residual, at::mm(e.t(), e), 1e-4, 1e-2));
  EXPECT_TRUE(at::allclose(moments.Original(), at::mm(rows.t(), rows), 1e-4, 1e-2));
  EXPECT_EQ(&kept.Moments(4), &moments);
}

TEST(KeptActivationsTest, MoreBitsLeaveSmallerResiduals) {
  const KeptActivations kept(at::randn({300, 8}).to(at::kBFloat16));
  const auto size = [&](int bits) { return kept.Moments(bits).residual.diagonal().sum().item<double>(); };
  EXPECT_LT(size(8), 0.02 * size(4));
}

}  // namespace
}  // namespace heroq
