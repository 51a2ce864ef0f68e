#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// tokenizer.json holds patterns for Oniguruma. Gives the PCRE2 pattern (for UTF and UCP) that matches exactly
// the same text, or TOKENIZER_UNSUPPORTED naming the construct. Known: literals; . ; [...] and [^...] with
// ranges; \s \S \d \D \p{..} \P{..} of general categories; \r \n \t \f \v \uHHHH \x{H..} and escaped
// punctuation; groups (...) (?:...)
// (?=...) (?!...); (?i:...) around ASCII literals; | ; quantifiers ? * + with lazy ? or possessive +, {n}
// {n,} {n,m}. The engines differ in what else looks alike: \s (U+180E), \w, \h, {n}+, case folding to several
// characters.
absl::StatusOr<std::string> TranslatePattern(absl::string_view pattern);

}  // namespace heroq
