#include "worker/calibration/activation_sample.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <vector>

namespace heroq {
namespace {

at::Tensor Sample(int64_t kept, int64_t total, const std::vector<int64_t>& cuts) {
  const at::Tensor rows = at::arange(total, at::kFloat).unsqueeze(1);
  ActivationSample sample(kept, total);
  int64_t begin = 0;
  for (const int64_t size : cuts) {
    sample.Add(rows.narrow(0, begin, size));
    begin += size;
  }
  return sample.Rows().flatten();
}

TEST(ActivationSampleTest, KeepsTheMiddleOfEqualParts) {
  // Parts of 2.5 rows, whose middles are at 1.25, 3.75, 6.25 and 8.75.
  EXPECT_TRUE(at::equal(Sample(4, 10, {10}), at::tensor({1.f, 3.f, 6.f, 8.f})));
}

TEST(ActivationSampleTest, CallsDoNotMatter) {
  const at::Tensor whole = Sample(7, 100, {100});
  EXPECT_EQ(whole.numel(), 7);
  EXPECT_TRUE(at::equal(Sample(7, 100, {1, 49, 30, 20}), whole));
}

TEST(ActivationSampleTest, KeepsEverythingWhenThereIsNotMore) {
  EXPECT_TRUE(at::equal(Sample(50, 5, {2, 3}), at::arange(5, at::kFloat)));
}

TEST(ActivationSampleTest, RowsAreCopies) {
  at::Tensor rows = at::arange(4, at::kFloat).unsqueeze(1);
  ActivationSample sample(2, 4);
  sample.Add(rows);
  rows.fill_(-1);
  EXPECT_TRUE(at::equal(sample.Rows().flatten(), at::tensor({1.f, 3.f})));
}

}  // namespace
}  // namespace heroq
