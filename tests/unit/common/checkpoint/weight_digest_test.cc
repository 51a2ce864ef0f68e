#include "common/checkpoint/weight_digest.h"

#include <gtest/gtest.h>

#include "common/quant/half.h"
#include "common/quant/packing.h"

namespace heroq {
namespace {

// Rows [0, 1] and [2, 3] of 3 bits:
// hashlib.sha256(struct.pack("<2i2f", 0 | 1 << 3, 2 | 3 << 3, 0.5, 2.0) + bytes([1, 2])).hexdigest()
constexpr char kExpected[] = "6beaff5114077ffc4c15e51e8be8f776dc3a3dad9fdb8bd74f03eb5d16d3d784";

TEST(WeightDigestTest, IsTheHashOfCodesScalesAndZeroPoints) {
  EXPECT_EQ(WeightDigest({0 | 1 << 3, 2 | 3 << 3}, {0.5f, 2.0f}, {1, 2}), kExpected);
}

TEST(WeightDigestTest, OfALinearIsThatOfItsParts) {
  QuantizedLinear linear{"l", 2, 2, {}, {}, {}, {1, 2}};
  linear.scheme.weight_bits = 3;
  linear.scheme.group_size = kPerChannel;
  linear.scheme.symmetric = false;
  linear.packed_codes = PackRows(std::vector<uint8_t>{0, 1, 2, 3}, 2, 2, 3);
  linear.scales = {FloatToBf16(0.5f), FloatToBf16(2.0f)};
  EXPECT_EQ(WeightDigest(linear), kExpected);
  linear.scheme.symmetric = true;
  linear.zero_points.clear();
  EXPECT_EQ(WeightDigest(linear), WeightDigest({0 | 1 << 3, 2 | 3 << 3}, {0.5f, 2.0f}, {4, 4}))
      << "the middle of 3 bits";
}

}  // namespace
}  // namespace heroq
