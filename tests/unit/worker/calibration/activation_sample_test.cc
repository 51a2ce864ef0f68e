#include "worker/calibration/activation_sample.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
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

TEST(ActivationSampleTest, KeepsOneRowOfEachPart) {
  const at::Tensor kept = Sample(25, 100, {100});
  ASSERT_EQ(kept.numel(), 25);
  for (int64_t part = 0; part < 25; ++part) {
    EXPECT_GE(kept[part].item<float>(), 4 * part);
    EXPECT_LT(kept[part].item<float>(), 4 * (part + 1));
  }
}

TEST(ActivationSampleTest, EveryPlaceOfASequenceIsKeptNowAndThen) {
  // 64 sequences of 8, every fourth row.
  const at::Tensor places = Sample(128, 512, {512}).remainder(8);
  for (int64_t place = 0; place < 8; ++place) EXPECT_GT((places == place).sum().item<int64_t>(), 4) << place;
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
  EXPECT_GE(sample.Rows().min().item<float>(), 0);
}

}  // namespace
}  // namespace heroq
