#include "common/tokenizer/utf8.h"

#include <unicode/utf8.h>

#include <cstring>

namespace heroq {

std::optional<int64_t> FirstInvalidUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int64_t>(text.size());
  constexpr uint64_t kHighBits = 0x8080808080808080u;
  int64_t i = 0;
  while (i < size) {
    uint64_t word = 0;
    if (i + 8 <= size) {
      std::memcpy(&word, bytes + i, 8);
      if ((word & kHighBits) == 0) {
        i += 8;
        continue;
      }
    }
    const int64_t start = i;
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c < 0) return start;
  }
  return std::nullopt;
}

int32_t NextCodePoint(absl::string_view text, int64_t* position) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  int64_t i = *position;
  UChar32 c = 0;
  U8_NEXT_UNSAFE(bytes, i, c);
  *position = i;
  return c;
}

int32_t PreviousCodePoint(absl::string_view text, int64_t* position) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  int64_t i = *position;
  UChar32 c = 0;
  U8_PREV_UNSAFE(bytes, i, c);
  *position = i;
  return c;
}

}  // namespace heroq
