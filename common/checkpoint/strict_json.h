#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

struct JsonLimits {
  int64_t max_bytes = int64_t{64} << 20;
  int max_depth = 64;              // objects and arrays inside each other
  int64_t max_values = 4'000'000;  // values of every kind; each takes about 100 bytes of memory
};

// Takes the elements of one object or array that is too large to be held as a value. What they hold is
// refused like everything else; no stream may stand inside another.
struct JsonStream {
  // Where it stands: "/model/vocab". An array there that should be an object, or the reverse, is not taken.
  nlohmann::json::json_pointer place;
  // Set for an object only. Gets the key before its value is parsed; false when the object has had it before.
  std::function<bool(absl::string_view key)> add_key;
  std::function<void(const nlohmann::json& value)> add_value;
};

// Parses JSON (RFC 8259, UTF-8 without byte order mark) from a source that is not trusted. Refused besides
// what is no JSON: two equal keys in one object, anything above `limits`, numbers that do not fit a double.
// What `streams` take is left empty in the value, and they may have got some of it when a file is refused.
// `name` is for messages. FILE_CORRUPT. Never throws; memory is bounded by the limits.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, const std::string& name,
                                               const JsonLimits& limits = {},
                                               const std::vector<JsonStream>& streams = {});

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
