#include "common/file/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace heroq {
namespace {

constexpr uint32_t kReflectedPolynomial = 0x82F63B78;

// kTables[k][b]: the remainder of byte b followed by k zero bytes ("slicing by 8").
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kReflectedPolynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

uint64_t LoadWord(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t HardwareCrc32c(absl::string_view data, uint32_t before) {
  uint64_t crc = ~before;
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) crc = _mm_crc32_u64(crc, LoadWord(data.data() + at));
  auto narrow = static_cast<uint32_t>(crc);
  for (; at < data.size(); ++at) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(data[at]));
  return ~narrow;
}
#endif

}  // namespace

uint32_t PortableCrc32c(absl::string_view data, uint32_t before) {
  uint32_t crc = ~before;
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) {
    const uint64_t word = LoadWord(data.data() + at) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; at < data.size(); ++at) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(data[at])) & 0xFF];
  }
  return ~crc;
}

uint32_t Crc32c(absl::string_view data, uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return HardwareCrc32c(data, before);
#endif
  return PortableCrc32c(data, before);
}

}  // namespace heroq
