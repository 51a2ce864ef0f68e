#include "common/file/crc32c.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace heroq {
namespace {

std::string Counting(int first, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes.push_back(static_cast<char>(first + step * i));
  return bytes;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue for "123456789".
TEST(Crc32cTest, GivesTheValuesOfRfc3720) {
  const std::string read_command(
      "\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00\x00\x00\x04\x00\x00"
      "\x00\x00\x14"
      "\x00\x00\x00\x18\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
      48);
  for (const auto function : {Crc32c, PortableCrc32c}) {
    const auto crc = [&](absl::string_view data) { return function(data, 0); };
    EXPECT_EQ(crc(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc(std::string(32, '\xFF')), 0x62A8AB43U);
    EXPECT_EQ(crc(Counting(0, 1)), 0x46DD794EU);
    EXPECT_EQ(crc(Counting(31, -1)), 0x113FDB5CU);
    EXPECT_EQ(crc(read_command), 0xD9963A56U);
    EXPECT_EQ(crc("123456789"), 0xE3069283U);
    EXPECT_EQ(crc(""), 0U);
  }
}

TEST(Crc32cTest, BothVariantsAgreeOnEveryLengthAndAlignment) {
  std::mt19937 generator(7);
  std::string bytes(300, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
      const absl::string_view part(bytes.data() + begin, size);
      ASSERT_EQ(Crc32c(part), PortableCrc32c(part)) << begin << " " << size;
    }
  }
}

TEST(Crc32cTest, GoesOnFromTheBytesBefore) {
  for (const auto crc : {Crc32c, PortableCrc32c}) {
    EXPECT_EQ(crc("3456789", crc("12", 0)), 0xE3069283U);
    EXPECT_EQ(crc("", crc("123456789", 0)), 0xE3069283U);
  }
}

}  // namespace
}  // namespace heroq
