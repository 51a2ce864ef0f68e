#include "common/checkpoint/finite_values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace heroq {
namespace {

template <typename Word>
std::string Bytes(const std::vector<Word>& words) {
  return std::string(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(Word));
}

// The patterns are those of IEEE 754 and of bfloat16, the upper half of a float32.
TEST(FiniteValuesTest, CountsNanAndBothInfinitiesOfEveryType) {
  EXPECT_EQ(
      CountNonFinite(DType::kBf16, Bytes<uint16_t>({0x7F80, 0xFF80, 0x7FC0, 0x7F7F, 0xFF7F, 0, 0x8000})), 3);
  EXPECT_EQ(CountNonFinite(DType::kF16, Bytes<uint16_t>({0x7C00, 0xFC00, 0x7E00, 0x7BFF, 0xFBFF, 0x0001})),
            3);
  EXPECT_EQ(CountNonFinite(DType::kF32, Bytes<uint32_t>({0x7F800000, 0xFF800000, 0x7F800001, 0x7F7FFFFF, 0})),
            3);
  EXPECT_EQ(CountNonFinite(DType::kF64, Bytes<uint64_t>({0x7FF0000000000000, 0xFFF0000000000000,
                                                         0x7FF8000000000000, 0x7FEFFFFFFFFFFFFF, 0})),
            3);
}

TEST(FiniteValuesTest, CountsMoreThanAWordHolds) {
  EXPECT_EQ(CountNonFinite(DType::kBf16, Bytes(std::vector<uint16_t>(200'001, 0xFF80))), 200'001);
}

TEST(FiniteValuesTest, IntegersAreFiniteWhateverTheirBits) {
  EXPECT_EQ(CountNonFinite(DType::kI32, Bytes<uint32_t>({0xFFFFFFFF, 0x7F800000})), 0);
}

TEST(FiniteValuesTest, BytesMayLieAnywhere) {
  const std::string bytes = "x" + Bytes<uint32_t>({0x7F800000, 0x3F800000});
  EXPECT_EQ(CountNonFinite(DType::kF32, absl::string_view(bytes).substr(1)), 1);
}

}  // namespace
}  // namespace heroq
