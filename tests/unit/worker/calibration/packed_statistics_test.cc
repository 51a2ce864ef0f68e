#include "worker/calibration/packed_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(PackedStatisticsTest, TheUpperTriangleGoesRowByRow) {
  const LayerStatistics full{at::tensor({1.f, 2.f, 3.f, -9.f, 4.f, 5.f, -9.f, -9.f, 6.f}).view({3, 3}), 7};
  const PackedStatistics packed = Pack(full);
  EXPECT_TRUE(at::equal(packed.upper, at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f})));
  EXPECT_EQ(packed.token_count, 7);
}

TEST(PackedStatisticsTest, KeptRowsOfTheRightComeAfterThoseOfTheLeft) {
  LayerStatistics left{at::randn({2, 2}), 5};
  left.kept = std::make_shared<const KeptActivations>(at::tensor({1.f, 2.f}).view({1, 2}));
  LayerStatistics right = left;
  right.kept = std::make_shared<const KeptActivations>(at::tensor({3.f, 4.f, 5.f, 6.f}).view({2, 2}));
  PackedStatistics sum = Pack(left);
  ASSERT_TRUE(AddRight(sum, Pack(right)).ok());
  const auto unpacked = Unpack(sum);
  ASSERT_TRUE(unpacked.ok());
  EXPECT_TRUE(at::equal(unpacked->kept->rows(), at::tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}).view({3, 2})));
  right.kept = nullptr;
  EXPECT_TRUE(HasReason(AddRight(sum, Pack(right)), Reason::kInternal));
}

TEST(PackedStatisticsTest, UnpackingMirrorsIt) {
  for (const int64_t side : {1, 2, 31, 32, 33, 100}) {
    const at::Tensor random = at::randn({side, side});
    const at::Tensor symmetric = random + random.t();
    const auto unpacked = Unpack(Pack({symmetric, 3}));
    ASSERT_TRUE(unpacked.ok());
    EXPECT_TRUE(at::equal(unpacked->second_moment, symmetric)) << side;
    EXPECT_EQ(unpacked->token_count, 3);
  }
}

TEST(PackedStatisticsTest, OtherLengthsAreNoTriangle) {
  const auto unpacked = Unpack({at::randn({5}), 1});
  EXPECT_TRUE(HasReason(unpacked.status(), Reason::kInternal));
}

TEST(PackedStatisticsTest, SumsAreOneRoundingOfTheExactSum) {
  // 1 + 2^-24 is a tie that rounds to even: 1; 1 + 2^-24 + 2^-40 would not be.
  PackedStatistics left{at::tensor({1.f, 2.f, 16777216.f}), 2};
  const PackedStatistics right{at::tensor({0x1p-24f, 3.f, 1.f}), 5};
  ASSERT_TRUE(AddRight(left, right).ok());
  EXPECT_TRUE(at::equal(left.upper, at::tensor({1.f, 5.f, 16777216.f})));
  EXPECT_EQ(left.token_count, 7);
}

TEST(PackedStatisticsTest, DifferentSizesDoNotAdd) {
  PackedStatistics left{at::randn({3}), 1};
  EXPECT_TRUE(HasReason(AddRight(left, {at::randn({6}), 1}), Reason::kInternal));
}

TEST(PackedStatisticsTest, EnergiesOfOutputsAddUpWhereTheyAreOfTheSameLinears) {
  LayerStatistics layer{at::randn({2, 2}), 5};
  layer.output_energies = {{LinearRole::kGate, 3}, {LinearRole::kUp, 4}};
  PackedStatistics left = Pack(layer);
  PackedStatistics right = left;
  right.output_energies[LinearRole::kUp] = 10;
  ASSERT_TRUE(AddRight(left, right).ok());
  const std::map<LinearRole, double> sums = {{LinearRole::kGate, 6}, {LinearRole::kUp, 14}};
  EXPECT_EQ(Unpack(left)->output_energies, sums);
  right.output_energies.erase(LinearRole::kGate);
  EXPECT_TRUE(HasReason(AddRight(left, right), Reason::kInternal));
  right.output_energies[LinearRole::kDown] = 1;
  EXPECT_TRUE(HasReason(AddRight(left, right), Reason::kInternal));
}

}  // namespace
}  // namespace heroq
