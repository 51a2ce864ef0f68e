#include "worker/calibration/second_moment.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "worker/device/thread_settings.h"

namespace heroq {
namespace {

// Largest difference from the exact sum, relative to its largest value.
double ErrorOf(const PackedStatistics& packed, const at::Tensor& rows) {
  const at::Tensor exact = at::mm(rows.t().to(at::kDouble), rows.to(at::kDouble));
  const at::Tensor difference = Unpack(packed)->second_moment.to(at::kDouble) - exact;
  return (difference.abs().max() / exact.abs().max()).item<double>();
}

at::Tensor Rows(int64_t tokens, int64_t features, c10::ScalarType dtype) {
  // A few strong features, as activations have.
  at::Tensor rows = at::randn({tokens, features});
  rows.select(1, features / 2).mul_(30);
  return rows.to(dtype);
}

TEST(SecondMomentTest, ProductsOfBfloat16AreExactAndSummedInFloat32) {
  // Rounding each product to bfloat16 would leave an error near 2^-9; sums of a thousand in float32 stay
  // below 4e-6.
  for (const int64_t features : {1, 5, 48, 64, 100, 576, 600}) {
    for (const int64_t tokens : {1, 2, 31, 512, 1025}) {
      const at::Tensor rows = Rows(tokens, features, at::kBFloat16);
      SecondMoment moment;
      moment.Add(rows);
      EXPECT_LE(ErrorOf(moment.TakePacked(), rows), 4e-6) << tokens << " x " << features;
    }
  }
}

TEST(SecondMomentTest, Float32RowsAreSummedInFloat32) {
  const at::Tensor rows = Rows(300, 96, at::kFloat);
  SecondMoment moment;
  moment.Add(rows);
  EXPECT_LE(ErrorOf(moment.TakePacked(), rows), 1e-6);
}

TEST(SecondMomentTest, CallsAddUp) {
  const at::Tensor rows = Rows(96, 40, at::kBFloat16);
  SecondMoment moment;
  moment.Add(rows.narrow(0, 0, 32));
  moment.Add(rows.narrow(0, 32, 64));
  EXPECT_EQ(moment.token_count(), 96);
  const PackedStatistics statistics = moment.TakePacked();
  EXPECT_EQ(statistics.token_count, 96);
  EXPECT_LE(ErrorOf(statistics, rows), 1e-6);
  EXPECT_EQ(moment.token_count(), 0);
}

TEST(SecondMomentTest, NothingOfASumIsLeftInTheNext) {
  const at::Tensor rows = Rows(70, 40, at::kBFloat16);
  SecondMoment moment;
  moment.Add(Rows(30, 40, at::kBFloat16));
  moment.TakePacked();
  moment.Add(rows);
  const PackedStatistics second = moment.TakePacked();
  EXPECT_EQ(second.token_count, 70);
  EXPECT_LE(ErrorOf(second, rows), 1e-6);
}

TEST(SecondMomentTest, WhatWasTakenStaysAsItIs) {
  const at::Tensor rows = Rows(30, 40, at::kBFloat16);
  SecondMoment moment;
  moment.Add(rows);
  const PackedStatistics first = moment.TakePacked();
  moment.Add(Rows(70, 40, at::kBFloat16));
  EXPECT_LE(ErrorOf(first, rows), 1e-6);
}

TEST(SecondMomentTest, ThreadsDoNotChangeABit) {
  for (const c10::ScalarType dtype : {at::kBFloat16, at::kFloat}) {
    for (const int64_t features : {48, 576, 1536}) {
      const at::Tensor rows = Rows(1024, features, dtype);
      const auto upper = [&](int threads) {
        SetTaskThreads(threads);
        SecondMoment moment;
        moment.Add(rows);
        return moment.TakePacked().upper;
      };
      EXPECT_TRUE(at::equal(upper(1), upper(2))) << toString(dtype) << ", " << features;
    }
  }
  SetTaskThreads(1);
}

TEST(SecondMomentTest, ValuesThatAreNotFiniteShow) {
  // The square of the last leaves float32, and its products with zeros do not.
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 2e38f}) {
    for (const c10::ScalarType dtype : {at::kBFloat16, at::kFloat}) {
      at::Tensor rows = at::zeros({8, 6}, dtype);
      SecondMoment moment;
      moment.Add(rows);
      EXPECT_TRUE(moment.finite());
      rows[3][4] = bad;
      moment.Add(rows);
      EXPECT_FALSE(moment.finite());
    }
  }
}

}  // namespace
}  // namespace heroq
