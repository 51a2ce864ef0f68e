#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace heroq {

// Reads fields of one file's quantization_config. Errors are UNSUPPORTED and name file and field: a
// configuration understood in part would make its tensors mean something else. Keeps a reference to `path`.
class QuantizationFields {
 public:
  explicit QuantizationFields(const std::string& path) : path_(path) {}

  absl::Status Unsupported(const std::string& field, const std::string& found) const;
  // `field` may be a dotted path for the message; its last part is looked up in `object`. `known` holds JSON
  // texts; an absent field counts as null.
  absl::Status Require(const nlohmann::json& object, const std::string& field,
                       const std::vector<std::string>& known) const;
  absl::StatusOr<int> Integer(const nlohmann::json& object, const std::string& field) const;
  absl::StatusOr<bool> Boolean(const nlohmann::json& object, const std::string& field, bool absent) const;
  // 2 to 8.
  absl::StatusOr<int> Bits(const nlohmann::json& object, const std::string& field) const;

  const std::string& path() const { return path_; }

 private:
  const std::string& path_;
};

// Patterns that one list of a file may hold.
inline constexpr size_t kMaxNamePatterns = 10'000;

// A module name, or a regular expression that matches from the name's start, in time linear in the name.
struct NamePattern {
  std::string text;
  std::shared_ptr<const re2::RE2> regex;  // null: a name

  bool Matches(const std::string& name) const;
  // Also by its class, "Linear".
  bool CoversLinear(const std::string& name) const { return text == "Linear" || Matches(name); }
};

// A pattern of `expression`; `text` is what the file says. Patterns are RE2's: look-around and back
// references are UNSUPPORTED.
absl::StatusOr<NamePattern> ParseRegex(const std::string& text, const std::string& expression,
                                       const std::string& field, const QuantizationFields& fields);

// A list of modules as compressed-tensors writes it: names, or "re:" and a pattern.
absl::StatusOr<std::vector<NamePattern>> ParseTargets(const nlohmann::json& list, const std::string& field,
                                                      const QuantizationFields& fields);

}  // namespace heroq
