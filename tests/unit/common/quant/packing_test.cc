#include "common/quant/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace heroq {
namespace {

using ::testing::ElementsAre;

std::vector<uint8_t> RandomCodes(int64_t count, int bits) {
  std::mt19937 generator(static_cast<uint32_t>(count * 8 + bits));
  std::vector<uint8_t> codes(count);
  for (uint8_t& code : codes) code = static_cast<uint8_t>(generator() & ((1U << bits) - 1));
  return codes;
}

// The definition, one bit at a time: bit k of code i of a row is bit (i * bits + k) of the row's stream.
std::vector<int32_t> PackBitByBit(const std::vector<uint8_t>& codes, int64_t rows, int64_t columns,
                                  int bits) {
  const int64_t words = (columns * bits + 31) / 32;
  std::vector<uint32_t> packed(rows * words);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < columns * bits; ++i) {
      const uint32_t bit = (codes[row * columns + i / bits] >> (i % bits)) & 1U;
      packed[row * words + i / 32] |= bit << (i % 32);
    }
  }
  return {packed.begin(), packed.end()};
}

class PackingTest : public ::testing::TestWithParam<int> {};

TEST_P(PackingTest, RowsAreOneBitStreamWhateverTheirLength) {
  const int bits = GetParam();
  for (const int64_t columns : {1, 2, 7, 8, 9, 31, 32, 33, 64, 101, 576}) {
    const std::vector<uint8_t> codes = RandomCodes(3 * columns, bits);
    EXPECT_EQ(PackRows(codes, 3, columns, bits), PackBitByBit(codes, 3, columns, bits)) << columns;
  }
}

TEST_P(PackingTest, UnpackingGivesTheCodesBack) {
  const int bits = GetParam();
  for (const int64_t columns : {1, 5, 8, 13, 32, 95, 128}) {
    const std::vector<uint8_t> codes = RandomCodes(5 * columns, bits);
    EXPECT_EQ(UnpackRows(PackRows(codes, 5, columns, bits), 5, columns, bits), codes) << columns;
    EXPECT_EQ(UnpackColumns(PackColumns(codes, columns, 5, bits), columns, 5, bits), codes) << columns;
  }
}

TEST_P(PackingTest, ColumnsAreThePackedRowsOfTheTransposedCodes) {
  const int bits = GetParam();
  const int64_t rows = 70;
  const int64_t columns = 67;
  const std::vector<uint8_t> codes = RandomCodes(rows * columns, bits);
  std::vector<uint8_t> transposed(codes.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) transposed[c * rows + r] = codes[r * columns + c];
  }
  const std::vector<int32_t> streams = PackBitByBit(transposed, columns, rows, bits);
  const std::vector<int32_t> packed = PackColumns(codes, rows, columns, bits);
  const int64_t words = PackedWords(rows, bits);
  ASSERT_EQ(packed.size(), streams.size());
  for (int64_t w = 0; w < words; ++w) {
    for (int64_t c = 0; c < columns; ++c) EXPECT_EQ(packed[w * columns + c], streams[c * words + w]);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryWidth, PackingTest, ::testing::Range(1, 9));

TEST(PackingWordsTest, CountsWholeWordsOnly) {
  EXPECT_EQ(PackedWords(8, 4), 1);
  EXPECT_EQ(PackedWords(9, 4), 2);
  EXPECT_EQ(PackedWords(32, 3), 3);
  EXPECT_EQ(PackedWords(0, 3), 0);
}

// 3 bits, LSB first: code 10 has its lowest two bits at bits 30 and 31 of word 0 and its highest at bit 0 of
// word 1.
TEST(PackingWordsTest, CodesCrossWords) {
  std::vector<uint8_t> codes(11, 0);
  codes[10] = 0b101;
  EXPECT_THAT(PackRows(codes, 1, 11, 3), ElementsAre(0x40000000, 1));
}

}  // namespace
}  // namespace heroq
