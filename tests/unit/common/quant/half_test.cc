#include "common/quant/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace heroq {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(HalfTest, EveryBf16PatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = Bf16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(value)))) << bits;
    } else {
      EXPECT_EQ(FloatToBf16(value), bits);
    }
  }
}

TEST(HalfTest, EveryF16PatternSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = F16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(value)))) << bits;
    } else {
      EXPECT_EQ(FloatToF16(value), bits);
    }
  }
}

// IEEE 754: the largest finite value is (2 - 2^-10) * 2^15, the smallest normal 2^-14, the smallest subnormal
// 2^-24.
TEST(HalfTest, F16PatternsHaveTheirIeeeValues) {
  EXPECT_EQ(F16ToFloat(0x3C00), 1.0F);
  EXPECT_EQ(F16ToFloat(0xC000), -2.0F);
  EXPECT_EQ(F16ToFloat(0x7BFF), 65504.0F);
  EXPECT_EQ(F16ToFloat(0x0400), 0x1p-14F);
  EXPECT_EQ(F16ToFloat(0x0001), 0x1p-24F);
  EXPECT_EQ(F16ToFloat(0xFC00), -kInf);
  EXPECT_TRUE(std::signbit(F16ToFloat(0x8000)));
}

// The middle of two neighbours goes to the one whose last bit is 0; a value past the middle goes to the
// nearer one.
TEST(HalfTest, TiesGoToEven) {
  EXPECT_EQ(FloatToF16(1.0F + 0x1p-11F), 0x3C00);
  EXPECT_EQ(FloatToF16(1.0F + 0x3p-11F), 0x3C02);
  EXPECT_EQ(FloatToF16(std::nextafter(1.0F + 0x1p-11F, 2.0F)), 0x3C01);
  EXPECT_EQ(FloatToF16(0x1p-25F), 0x0000);
  EXPECT_EQ(FloatToF16(std::nextafter(0x1p-25F, 1.0F)), 0x0001);
  EXPECT_EQ(FloatToF16(0x3p-25F), 0x0002);
  EXPECT_EQ(FloatToBf16(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(FloatToBf16(1.0F + 0x3p-8F), 0x3F82);
  EXPECT_EQ(FloatToBf16(std::nextafter(1.0F + 0x1p-8F, 2.0F)), 0x3F81);
}

TEST(HalfTest, OverflowBecomesInfinityAndNanStaysNan) {
  EXPECT_EQ(FloatToF16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(FloatToF16(65520.0F), 0x7C00);
  EXPECT_EQ(FloatToF16(-1e30F), 0xFC00);
  EXPECT_EQ(FloatToBf16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(FloatToBf16(kInf), 0x7F80);
  EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(kNan))));
  // A NaN whose payload is in the bits that are cut off must not become infinity.
  const auto low_payload = std::bit_cast<float>(0x7F800001U);
  EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(low_payload))));
  EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(low_payload))));
}

}  // namespace
}  // namespace heroq
