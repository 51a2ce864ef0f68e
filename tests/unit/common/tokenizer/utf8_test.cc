#include "common/tokenizer/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace heroq {
namespace {

TEST(Utf8Test, ValidTextHasNoInvalidByte) {
  EXPECT_EQ(FirstInvalidUtf8(""), std::nullopt);
  EXPECT_EQ(FirstInvalidUtf8("plain text of more than eight bytes, \u00e9 \u4f60 \U0001F600 and on"),
            std::nullopt);
  EXPECT_EQ(FirstInvalidUtf8(std::string("\0", 1)), std::nullopt);
}

TEST(Utf8Test, FirstInvalidByteIsFound) {
  EXPECT_EQ(FirstInvalidUtf8("12345678\xff"), 8);
  EXPECT_EQ(FirstInvalidUtf8("1234567\xff"), 7);
  EXPECT_EQ(FirstInvalidUtf8("ab\xc3"), 2);              // cut off
  EXPECT_EQ(FirstInvalidUtf8("a\xc0\x80"), 1);           // overlong
  EXPECT_EQ(FirstInvalidUtf8("\u00e9\xed\xa0\x80"), 2);  // surrogate
  EXPECT_EQ(FirstInvalidUtf8("\xf4\x90\x80\x80"), 0);    // above U+10FFFF
}

TEST(Utf8Test, CodePointsAreReadBothWays) {
  const absl::string_view text = "a\u00e9\U0001F600";
  int64_t position = 1;
  EXPECT_EQ(NextCodePoint(text, &position), 0xE9);
  EXPECT_EQ(position, 3);
  position = 7;
  EXPECT_EQ(PreviousCodePoint(text, &position), 0x1F600);
  EXPECT_EQ(position, 3);
}

}  // namespace
}  // namespace heroq
