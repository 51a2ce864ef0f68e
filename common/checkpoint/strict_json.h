#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

struct JsonLimits {
  int64_t max_bytes = int64_t{64} << 20;
  int max_depth = 64;  // objects and arrays inside each other
};

// Parses JSON (RFC 8259, UTF-8 without byte order mark) from a source that is not trusted. Refused besides
// what is no JSON: two equal keys in one object, anything above `limits`, numbers that do not fit a double.
// `name` is for messages. FILE_CORRUPT. Never throws; memory is a small multiple of the text.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, const std::string& name,
                                               const JsonLimits& limits = {});

// `text` as a JSON string in quotes, spelled as Rust's serde_json does: '"', '\' and control characters are
// escaped, everything else is copied. Requires valid UTF-8.
std::string QuoteJson(absl::string_view text);

bool IsValidUtf8(absl::string_view text);

}  // namespace heroq
