#include "worker/forward/rotary_table.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heroq {
namespace {

ModelLayout Layout(RopeConfig rope, int64_t max_positions = 64) {
  ModelLayout layout;
  layout.head_dim = 4;
  layout.max_positions = max_positions;
  layout.rope = rope;
  return layout;
}

// The angle by which pair `pair` turns at `position`: of the heads (1, 1, 0, 0), whose halves pair 0 with 2
// and 1 with 3.
double Angle(const ModelLayout& layout, int64_t length, int64_t position, int64_t pair) {
  at::Tensor heads = at::zeros({1, length, 1, 4});
  heads.narrow(-1, 0, 2).fill_(1);
  const at::Tensor turned =
      RotaryTable(layout, length, at::kFloat, c10::Device(c10::kCPU)).Rotate(heads)[0][position][0];
  return std::atan2(turned[pair + 2].item<double>(), turned[pair].item<double>());
}

TEST(RotaryTableTest, PairsOfHalvesTurnByPositionTimesFrequency) {
  const ModelLayout layout = Layout({.theta = 100.0});
  EXPECT_NEAR(Angle(layout, 4, 0, 0), 0, 1e-6);
  EXPECT_NEAR(Angle(layout, 4, 3, 0), 3, 1e-6);    // 100^0
  EXPECT_NEAR(Angle(layout, 4, 3, 1), 0.3, 1e-6);  // 100^(-2/4)
}

TEST(RotaryTableTest, LinearScalingDividesPositions) {
  const ModelLayout layout = Layout({.kind = RopeKind::kLinear, .theta = 100.0, .factor = 4.0});
  EXPECT_NEAR(Angle(layout, 4, 2, 0), 0.5, 1e-6);
}

TEST(RotaryTableTest, DynamicScalingStartsWhenSequencesOutgrowTheModel) {
  const RopeConfig rope{.kind = RopeKind::kDynamic, .theta = 100.0, .factor = 2.0};
  EXPECT_NEAR(Angle(Layout(rope, 8), 8, 3, 1), 0.3, 1e-6);
  // Twice the length: the base grows by (2 * 2 - 1)^(4 / 2) = 9, so the second frequency is 900^(-1/2) = 1
  // / 30.
  EXPECT_NEAR(Angle(Layout(rope, 8), 16, 3, 1), 0.1, 1e-6);
}

TEST(RotaryTableTest, Llama3ScalingDividesLongWavelengthsOnly) {
  // Wavelengths 2 pi and 20 pi = 62.8. Original 64 positions: above 64 / low they are divided, below 64 /
  // high kept.
  const RopeConfig kept{.kind = RopeKind::kLlama3,
                        .theta = 100.0,
                        .factor = 8.0,
                        .low_freq_factor = 0.1,
                        .high_freq_factor = 1.0,
                        .original_max_positions = 64};
  EXPECT_NEAR(Angle(Layout(kept), 4, 3, 1), 0.3, 1e-6);
  RopeConfig divided = kept;
  divided.low_freq_factor = 2.0;
  divided.high_freq_factor = 4.0;
  EXPECT_NEAR(Angle(Layout(divided), 4, 3, 1), 0.3 / 8, 1e-6);
  // Between: blend t = (64 / 62.83 - 0.5) / (2 - 0.5) = 0.34573; 0.3 * ((1 - t) / 8 + t) = 0.128253.
  RopeConfig blended = kept;
  blended.low_freq_factor = 0.5;
  blended.high_freq_factor = 2.0;
  EXPECT_NEAR(Angle(Layout(blended), 4, 3, 1), 0.128253, 1e-5);
}

TEST(RotaryTableTest, Bfloat16HeadsTurnByTheSameAngles) {
  const ModelLayout layout = Layout({.theta = 100.0});
  const at::Tensor heads = at::randn({2, 16, 3, 4}).to(at::kBFloat16);
  const at::Tensor exact =
      RotaryTable(layout, 16, at::kDouble, c10::Device(c10::kCPU)).Rotate(heads.to(at::kDouble));
  const at::Tensor turned = RotaryTable(layout, 16, at::kBFloat16, c10::Device(c10::kCPU)).Rotate(heads);
  // Sums of two products, rounded once, whose factors cosine and sine were rounded too.
  EXPECT_TRUE(at::allclose(turned.to(at::kDouble), exact, 0x1p-7, 0.03));
}

TEST(RotaryTableTest, LengthsStay) {
  const ModelLayout layout = Layout({});
  const at::Tensor heads = at::randn({2, 16, 3, 4});
  const at::Tensor turned = RotaryTable(layout, 16, at::kFloat, c10::Device(c10::kCPU)).Rotate(heads);
  EXPECT_TRUE(turned.is_contiguous());
  EXPECT_TRUE(at::allclose(turned.norm(2, -1), heads.norm(2, -1), 1e-5));
}

}  // namespace
}  // namespace heroq
