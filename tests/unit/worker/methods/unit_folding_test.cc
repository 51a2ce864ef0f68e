#include "worker/methods/unit_folding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace heroq {
namespace {

using ::testing::HasSubstr;

// A query projection behind a norm; that transforms leave functions as they are is a property test's matter.
UnitWork OneReader(std::vector<float> gain) {
  UnitWork work;
  const auto width = static_cast<int64_t>(gain.size());
  work.gain = at::tensor(gain);
  work.kept.push_back({"q", LinearInput::kAttentionIn, at::ones({1, width}), LinearRole::kQuery, {}});
  work.statistics[LinearInput::kAttentionIn] = {at::ones({width, width}), 1};
  return work;
}

InputTransform Scale(std::vector<float> scale) {
  InputTransform transform;
  transform.scale = at::tensor(scale);
  return transform;
}

TEST(FoldTransformTest, AGainIsRoundedAndItsWeightsMakeUpForIt) {
  // 1 / 3 is no bfloat16 number; the nearest one is 0.333984375.
  UnitWork work = OneReader({1.0f, 1.0f});
  ASSERT_TRUE(FoldTransform(LinearInput::kAttentionIn, Scale({3.0f, 1.0f}), work).ok());
  EXPECT_EQ(work.gain[0].item<float>(), 0.333984375f);
  EXPECT_FLOAT_EQ(work.kept[0].weight[0][0].item<float>(), 1 / 0.333984375f);
  EXPECT_FLOAT_EQ(work.statistics[LinearInput::kAttentionIn].second_moment[0][0].item<float>(),
                  0.333984375f * 0.333984375f);
}

TEST(FoldTransformTest, AGainThatCannotBeStoredStaysAsItIs) {
  // Zero times anything is zero; 60000 / 0.5 is above float16.
  UnitWork work = OneReader({0.0f, 60000.0f, 1.0f});
  work.stored_type = at::kHalf;
  ASSERT_TRUE(FoldTransform(LinearInput::kAttentionIn, Scale({2.0f, 0.5f, 2.0f}), work).ok());
  EXPECT_EQ(work.gain[0].item<float>(), 0.0f);
  EXPECT_EQ(work.gain[1].item<float>(), 60000.0f);
  EXPECT_EQ(work.gain[2].item<float>(), 0.5f);
  EXPECT_EQ(work.kept[0].weight[0][0].item<float>(), 1.0f);
  EXPECT_EQ(work.kept[0].weight[0][1].item<float>(), 1.0f);
  EXPECT_EQ(work.kept[0].weight[0][2].item<float>(), 2.0f);
}

TEST(FoldTransformTest, WhatDoesNotPassIsRefused) {
  UnitWork work = OneReader({1.0f, 1.0f});
  InputTransform rotation;
  rotation.rotation = at::ones({1, 1, 1});
  rotation.rotation_of_block = {0, 0};
  EXPECT_THAT(FoldTransform(LinearInput::kAttentionIn, rotation, work).message(),
              HasSubstr("a rotation does not pass a norm"));
  EXPECT_THAT(FoldTransform(LinearInput::kMlpOut, Scale({1.0f}), work).message(),
              HasSubstr("the unit has no up projection"));
  EXPECT_THAT(FoldTransform(LinearInput::kAttentionOut, Scale({1.0f}), work).message(),
              HasSubstr("the unit has no value projection"));
}

}  // namespace
}  // namespace heroq
