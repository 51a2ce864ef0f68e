#include "common/tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

std::string Characters(absl::string_view bytes) {
  std::string out;
  AppendByteCharacters(bytes, &out);
  return out;
}

// GPT-2's table: bytes that are not visible in Latin-1 count up from U+0100 in their order: 0 to 32 are the
// first 33, 127 to 160 the next 34, 173 the last.
TEST(ByteAlphabetTest, VisibleBytesStandForThemselves) {
  EXPECT_EQ(Characters("a~!\xa1\xff"), "a~!\u00a1\u00ff");
}

TEST(ByteAlphabetTest, OtherBytesCountUpFromU0100) {
  EXPECT_EQ(Characters(absl::string_view("\0\n \x7f\xa0\xad", 6)), "\u0100\u010a\u0120\u0121\u0142\u0143");
}

}  // namespace
}  // namespace heroq
