#include "worker/transform/low_rank.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/status/error_reason.h"
#include "worker/transform/random_stream.h"

namespace heroq {
namespace {

at::Tensor Random(int64_t rows, int64_t columns, uint64_t seed) {
  const RandomStream stream(seed, 99);
  at::Tensor matrix = at::empty({rows, columns}, at::kDouble);
  auto* values = matrix.mutable_data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) values[i] = stream.Uniform(static_cast<uint64_t>(i)) - 0.5;
  return matrix;
}

double Loss(const at::Tensor& rest, const at::Tensor& g) {
  return (at::mm(rest, g) * rest).sum().item<double>();
}

at::Tensor Rest(const at::Tensor& w, const at::Tensor& u) { return w - at::mm(u, at::mm(u.t(), w)); }

TEST(LowRankTest, WhatIsLeftIsTheSumOfTheOtherEigenvalues) {
  const at::Tensor w = Random(12, 9, 1);
  const at::Tensor x = Random(40, 9, 2);
  const at::Tensor g = at::mm(x.t(), x);
  // Of W G W^T, increasing; at most 9 are not zero.
  const at::Tensor eigenvalues = at::linalg_eigvalsh(at::mm(at::mm(w, g), w.t()));
  for (const int64_t rank : {1, 4, 9}) {
    const at::Tensor u = LeadingDirections(w, g, rank, {}).value();
    EXPECT_LT((at::mm(u.t(), u) - at::eye(rank, at::kDouble)).abs().max().item<double>(), 1e-12);
    const double others = eigenvalues.narrow(0, 0, 12 - rank).sum().item<double>();
    EXPECT_NEAR(Loss(Rest(w, u), g), others, 1e-10) << rank;
  }
}

TEST(LowRankTest, ASmallerRankIsTheBeginningOfALargerOne) {
  const at::Tensor w = Random(10, 8, 3);
  const at::Tensor more = LeadingDirections(w, {}, 5, {}).value();
  const at::Tensor less = LeadingDirections(w, {}, 2, {}).value();
  EXPECT_TRUE(at::equal(more.narrow(1, 0, 2), less));
}

TEST(LowRankTest, ASingularMomentIsNoTrouble) {
  const at::Tensor w = Random(8, 8, 4);
  // One direction of three inputs is ever in error: rank one takes everything that matters.
  const at::Tensor e = at::zeros({1, 8}, at::kDouble);
  e[0][1] = 2;
  e[0][4] = -1;
  const at::Tensor g = at::mm(e.t(), e);
  const at::Tensor u = LeadingDirections(w, g, 1, {}).value();
  EXPECT_LT(Loss(Rest(w, u), g), 1e-12);
  const at::Tensor many = LeadingDirections(w, g, 8, {}).value();
  EXPECT_LT(Rest(w, many).abs().max().item<double>(), 1e-12);
  EXPECT_TRUE(LeadingDirections(w, at::zeros({8, 8}, at::kDouble), 3, {}).ok());
}

TEST(LowRankTest, TheRangeFinderComesCloseToTheBest) {
  const int64_t outputs = kExactOutputs + 100;
  // A spectrum that decays slowly, as weights have.
  const at::Tensor w = Random(outputs, 60, 5) + 4 * at::mm(Random(outputs, 6, 6), Random(6, 60, 7));
  const at::Tensor x = Random(200, 60, 8);
  const at::Tensor g = at::mm(x.t(), x);
  const at::Tensor eigenvalues = at::linalg_eigvalsh(at::mm(at::mm(w, g), w.t()));
  const int64_t rank = 10;
  const at::Tensor u = LeadingDirections(w, g, rank, {}).value();
  const double best = eigenvalues.narrow(0, 0, outputs - rank).sum().item<double>();
  EXPECT_GE(Loss(Rest(w, u), g), best * (1 - 1e-9));
  EXPECT_LE(Loss(Rest(w, u), g), best * 1.001);
  EXPECT_TRUE(at::equal(u, LeadingDirections(w, g, rank, {}).value()));
}

TEST(LowRankTest, ImpossibleRanksAndNumbersAreRefused) {
  const at::Tensor w = Random(4, 6, 9);
  EXPECT_TRUE(HasReason(LeadingDirections(w, {}, 5, {}).status(), Reason::kInternal));
  EXPECT_TRUE(HasReason(LeadingDirections(w, {}, 0, {}).status(), Reason::kInternal));
  const at::Tensor bad = at::full({6, 6}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  EXPECT_TRUE(HasReason(LeadingDirections(w, bad, 2, {}).status(), Reason::kNumericalFailure));
}

}  // namespace
}  // namespace heroq
