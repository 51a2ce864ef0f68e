#include "worker/evaluation/compare_logits.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heroq {
namespace {

TEST(CompareLogitsTest, SumsLogLikelihoodsAndDivergenceInNats) {
  // Probabilities (1/2, 1/4, 1/4) against (1/4, 1/4, 1/2), shifted by constants that softmax ignores.
  const at::Tensor original = at::tensor({0.5f, 0.25f, 0.25f}).log().view({1, 3}) + 3;
  const at::Tensor candidate = at::tensor({0.25f, 0.25f, 0.5f}).log().view({1, 3}) - 5;
  const ComparisonSums sums = CompareLogits(original, candidate, at::tensor({2}, at::kLong));
  EXPECT_EQ(sums.token_count, 1);
  EXPECT_NEAR(sums.original_nll, std::log(4.0), 1e-6);
  EXPECT_NEAR(sums.candidate_nll, std::log(2.0), 1e-6);
  // 1/2 log(2) + 1/4 log(1) + 1/4 log(1/2)
  EXPECT_NEAR(sums.kl, 0.25 * std::log(2.0), 1e-6);
}

TEST(CompareLogitsTest, EqualModelsDoNotDiverge) {
  const at::Tensor logits = at::randn({50, 300}) * 10;
  const ComparisonSums sums = CompareLogits(logits, logits, at::randint(300, {50}, at::kLong));
  EXPECT_EQ(sums.kl, 0);
  EXPECT_EQ(sums.original_nll, sums.candidate_nll);
}

TEST(CompareLogitsTest, RowsAddUpAcrossCalls) {
  const at::Tensor original = at::randn({50, 300}) * 4;
  const at::Tensor candidate = original + at::randn({50, 300});
  const at::Tensor targets = at::randint(300, {50}, at::kLong);
  const auto part = [&](int64_t begin, int64_t size) {
    return CompareLogits(original.narrow(0, begin, size), candidate.narrow(0, begin, size),
                         targets.narrow(0, begin, size));
  };
  ComparisonSums sums = part(0, 13);
  sums += part(13, 37);
  const ComparisonSums whole = part(0, 50);
  EXPECT_EQ(sums.token_count, 50);
  EXPECT_NEAR(sums.kl, whole.kl, 1e-9 * whole.kl);
  EXPECT_NEAR(sums.original_nll, whole.original_nll, 1e-9 * whole.original_nll);
  EXPECT_NEAR(sums.candidate_nll, whole.candidate_nll, 1e-9 * whole.candidate_nll);
  EXPECT_GT(whole.kl, 0);
}

}  // namespace
}  // namespace heroq
