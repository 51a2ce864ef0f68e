#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

struct JsonLimits {
  int64_t max_bytes = int64_t{64} << 20;
  int max_depth = 64;              // objects and arrays inside each other
  int64_t max_values = 4'000'000;  // values of every kind; each takes about 100 bytes of memory
};

// Parses JSON (RFC 8259, UTF-8 without byte order mark) from a source that is not trusted. Refused besides
// what is no JSON: two equal keys in one object, anything above `limits`, numbers that do not fit a double.
// `name` is for messages. FILE_CORRUPT. Never throws; memory is bounded by the limits.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, const std::string& name,
                                               const JsonLimits& limits = {});

// `text` as a JSON string in quotes, spelled as Rust's serde_json does: '"', '\' and control characters are
// escaped, everything else is copied. Requires valid UTF-8.
std::string QuoteJson(absl::string_view text);

// Text for a message: cut, between characters, after some hundred bytes.
std::string Excerpt(absl::string_view text);
// A value for a message: its JSON, cut.
std::string ExcerptJson(const nlohmann::json& value);
// A string for a message: QuoteJson of it, cut.
std::string QuoteExcerpt(absl::string_view text);

bool IsValidUtf8(absl::string_view text);

}  // namespace heroq
