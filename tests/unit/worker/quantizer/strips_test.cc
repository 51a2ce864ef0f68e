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

// Whole squares are transposed in registers, what is left over one by one.
TEST(StripsTest, EverySizePacksAndUnpacksElementByElement) {
  for (const int64_t rows : {1, 5, 48, 67, 86}) {
    for (const int64_t columns : {1, 15, 16, 37, 64}) {
      std::vector<float> matrix(rows * columns);
      std::iota(matrix.begin(), matrix.end(), 1.0f);
      std::vector<int32_t> order(columns);
      for (int64_t k = 0; k < columns; ++k) order[k] = static_cast<int32_t>(columns - 1 - k);
      std::vector<uint8_t> codes(rows * columns);
      for (int64_t first = 0; first < rows; first += kStripRows) {
        std::vector<float> strip(columns * kStripRows, -1.0f);
        PackStrip(matrix.data(), rows, columns, first, order.data(), strip.data());
        for (int64_t k = 0; k < columns; ++k) {
          for (int64_t lane = 0; lane < kStripRows; ++lane) {
            const int64_t row = first + lane;
            ASSERT_EQ(strip[k * kStripRows + lane], row < rows ? matrix[row * columns + order[k]] : 0.0f)
                << rows << " " << columns << " " << k << " " << lane;
          }
        }
        std::vector<uint8_t> bytes(strip.size());
        for (size_t at = 0; at < bytes.size(); ++at)
          bytes[at] = static_cast<uint8_t>(static_cast<int64_t>(strip[at]));
        UnpackCodes(bytes.data(), rows, columns, first, order.data(), codes.data());
      }
      for (size_t at = 0; at < codes.size(); ++at) {
        ASSERT_EQ(codes[at], static_cast<uint8_t>(static_cast<int64_t>(matrix[at])))
            << rows << " " << columns << " " << at;
      }
    }
  }
}

}  // namespace
}  // namespace heroq
