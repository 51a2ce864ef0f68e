#include "common/quant/quantized_linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "common/quant/half.h"
#include "common/quant/packing.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two outputs, four inputs, groups of two, 4 bits.
QuantizedLinear SmallLinear() {
  QuantizedLinear linear;
  linear.name = "model.layers.0.mlp.up_proj";
  linear.out_features = 2;
  linear.in_features = 4;
  linear.scheme.weight_bits = 4;
  linear.scheme.group_size = 2;
  linear.packed_codes = PackRows(std::vector<uint8_t>{0, 15, 7, 8, 1, 2, 3, 4}, 2, 4, 4);
  linear.scales = {FloatToBf16(0.5F), FloatToBf16(1.0F), FloatToBf16(2.0F), FloatToBf16(0.25F)};
  linear.zero_points = {0, 8, 1, 15};
  return linear;
}

TEST(QuantizedLinearTest, DequantizesEachGroupWithItsScaleAndZeroPoint) {
  const QuantizedLinear linear = SmallLinear();
  ASSERT_TRUE(ValidateQuantizedLinear(linear).ok());
  // scale * (code - zero): 0.5*(0-0), 0.5*(15-0), 1*(7-8), 1*(8-8); 2*(1-1), 2*(2-1), 0.25*(3-15),
  // 0.25*(4-15).
  EXPECT_THAT(Dequantize(linear), ElementsAre(0.0F, 7.5F, -1.0F, 0.0F, 0.0F, 2.0F, -3.0F, -2.75F));
}

TEST(QuantizedLinearTest, SymmetricCodesAreCentredOnTheMiddle) {
  QuantizedLinear linear = SmallLinear();
  linear.scheme.symmetric = true;
  linear.scheme.group_size = kPerChannel;
  linear.scheme.scale_type = ScaleType::kF16;
  linear.zero_points.clear();
  linear.scales = {FloatToF16(0.5F), FloatToF16(1.0F)};
  ASSERT_TRUE(ValidateQuantizedLinear(linear).ok());
  EXPECT_THAT(Dequantize(linear), ElementsAre(-4.0F, 3.5F, -0.5F, 0.0F, -7.0F, -6.0F, -5.0F, -4.0F));
}

void ExpectBroken(const QuantizedLinear& linear, const std::string& rule) {
  const absl::Status status = ValidateQuantizedLinear(linear);
  EXPECT_TRUE(HasReason(status, Reason::kInternal)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.layers.0.mlp.up_proj"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(rule));
}

TEST(QuantizedLinearTest, WrongSizesAreRefusedByName) {
  QuantizedLinear linear = SmallLinear();
  linear.packed_codes.push_back(0);
  ExpectBroken(linear, "packed_codes has 3 values, expected 2");
  linear = SmallLinear();
  linear.scales.pop_back();
  ExpectBroken(linear, "scales has 3 values, expected 4");
  linear = SmallLinear();
  linear.zero_points.clear();
  ExpectBroken(linear, "zero_points has 0 values, expected 4");
  linear = SmallLinear();
  linear.scheme.group_size = 3;
  ExpectBroken(linear, "group size 3 does not divide");
}

TEST(QuantizedLinearTest, ScalesMustBeFiniteAndPositive) {
  for (const uint16_t bits : {FloatToBf16(0.0F), FloatToBf16(-1.0F), uint16_t{0x7F80}, uint16_t{0x7FC0}}) {
    QuantizedLinear linear = SmallLinear();
    linear.scales[2] = bits;
    ExpectBroken(linear, "scale 2 is");
  }
}

TEST(QuantizedLinearTest, ZeroPointsMustFitTheGrid) {
  QuantizedLinear linear = SmallLinear();
  linear.zero_points[3] = 16;
  ExpectBroken(linear, "zero point 3 is 16, expected at most 15");
}

}  // namespace
}  // namespace heroq
