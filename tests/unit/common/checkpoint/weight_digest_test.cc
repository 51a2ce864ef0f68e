#include "common/checkpoint/weight_digest.h"

#include <gtest/gtest.h>

#include "common/quant/half.h"
#include "common/quant/packing.h"

namespace heroq {
namespace {

// hashlib.sha256(bytes([0, 1, 2, 3]) + struct.pack("<2f", 0.5, 2.0) + bytes([1, 2])).hexdigest()
constexpr char kExpected[] = "bd523e76de08bd27afe74109fc72a1d59c72fe21770c2f3051e675110b6bf927";

TEST(WeightDigestTest, IsTheHashOfCodesScalesAndZeroPoints) {
  EXPECT_EQ(WeightDigest({0, 1, 2, 3}, {0.5f, 2.0f}, {1, 2}), kExpected);
}

TEST(WeightDigestTest, DoesNotDependOnHowALinearIsPacked) {
  QuantizedLinear linear{"l", 2, 2, {}, {}, {}, {1, 2}};
  linear.scheme.weight_bits = 3;
  linear.scheme.group_size = kPerChannel;
  linear.scheme.symmetric = false;
  linear.packed_codes = PackRows(std::vector<uint8_t>{0, 1, 2, 3}, 2, 2, 3);
  linear.scales = {FloatToBf16(0.5f), FloatToBf16(2.0f)};
  EXPECT_EQ(WeightDigest(linear), kExpected);
  linear.scheme.symmetric = true;
  linear.zero_points.clear();
  EXPECT_EQ(WeightDigest(linear), WeightDigest({0, 1, 2, 3}, {0.5f, 2.0f}, {4, 4})) << "the middle of 3 bits";
}

}  // namespace
}  // namespace heroq
