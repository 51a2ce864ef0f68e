#include "worker/quantizer/strips.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace heroq {
namespace {

TEST(StripsTest, AStripHoldsRowsAsLanesInTheGivenOrder) {
  std::vector<float> matrix(50 * 3);
  std::iota(matrix.begin(), matrix.end(), 0.0f);
  const std::vector<int32_t> order = {2, 0, 1};
  std::vector<float> strip(3 * kStripRows, -1.0f);
  PackStrip(matrix.data(), 50, 3, 0, order.data(), strip.data());
  for (int64_t lane = 0; lane < kStripRows; ++lane) {
    EXPECT_EQ(strip[lane], matrix[lane * 3 + 2]);
    EXPECT_EQ(strip[kStripRows + lane], matrix[lane * 3]);
    EXPECT_EQ(strip[2 * kStripRows + lane], matrix[lane * 3 + 1]);
  }
}

TEST(StripsTest, LanesPastTheLastRowAreZero) {
  const std::vector<float> matrix(50 * 2, 3.0f);
  std::vector<float> strip(2 * kStripRows, -1.0f);
  PackStrip(matrix.data(), 50, 2, 48, nullptr, strip.data());
  for (int64_t at = 0; at < 2 * kStripRows; ++at)
    EXPECT_EQ(strip[at], at % kStripRows < 2 ? 3.0f : 0.0f) << at;
  EXPECT_EQ(StripCount(48), 1);
  EXPECT_EQ(StripCount(50), 2);
}

TEST(StripsTest, CodesReturnToTheirRowsAndColumns) {
  const std::vector<int32_t> order = {1, 0};
  std::vector<uint8_t> strip(2 * kStripRows);
  std::iota(strip.begin(), strip.end(), uint8_t{0});
  std::vector<uint8_t> codes(50 * 2, 255);
  UnpackCodes(strip.data(), 50, 2, 48, order.data(), codes.data());
  // Lane 0 and 1 of both columns land in rows 48 and 49; the rows before stay.
  EXPECT_EQ(codes[95], 255);
  EXPECT_EQ(std::vector<uint8_t>(codes.begin() + 96, codes.end()), (std::vector<uint8_t>{48, 0, 49, 1}));
}

}  // namespace
}  // namespace heroq
