#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace heroq {

// Appends each byte of `bytes` as the visible character that stands for it in byte-level vocabularies
// (GPT-2): bytes that are visible in Latin-1 stand for themselves, the others in order for U+0100, U+0101,
// ...; space is "Ġ".
void AppendByteCharacters(absl::string_view bytes, std::string* out);

}  // namespace heroq
