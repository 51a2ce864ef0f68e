#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace heroq {

// Offset of the first byte that starts no well-formed UTF-8 sequence (overlong forms, surrogates and code
// points above U+10FFFF are ill-formed), or nothing if all of `text` is valid.
std::optional<int64_t> FirstInvalidUtf8(absl::string_view text);

// Reads the code point at `*position` of valid UTF-8 and moves past it.
int32_t NextCodePoint(absl::string_view text, int64_t* position);
// Reads the code point that ends at `*position` of valid UTF-8 and moves before it.
int32_t PreviousCodePoint(absl::string_view text, int64_t* position);

}  // namespace heroq
