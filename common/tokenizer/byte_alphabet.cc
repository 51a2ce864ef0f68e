#include "common/tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

namespace heroq {
namespace {

struct Character {
  char bytes[2];
  uint8_t size;
};

constexpr bool IsVisible(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<Character, 256> MakeAlphabet() {
  std::array<Character, 256> alphabet{};
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const int code_point = IsVisible(byte) ? byte : next++;
    if (code_point < 0x80) {
      alphabet[byte] = {{static_cast<char>(code_point), 0}, 1};
    } else {
      alphabet[byte] = {
          {static_cast<char>(0xC0 | (code_point >> 6)), static_cast<char>(0x80 | (code_point & 0x3F))}, 2};
    }
  }
  return alphabet;
}

constexpr std::array<Character, 256> kAlphabet = MakeAlphabet();

}  // namespace

void AppendByteCharacters(absl::string_view bytes, std::string* out) {
  for (char byte : bytes) {
    const Character& character = kAlphabet[static_cast<uint8_t>(byte)];
    out->append(character.bytes, character.size);
  }
}

}  // namespace heroq
