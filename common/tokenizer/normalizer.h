#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

// The "normalizer" of tokenizer.json: rewrites the text between added tokens. Thread-safe.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // `text` is valid UTF-8.
  virtual absl::StatusOr<std::string> Normalize(absl::string_view text) const = 0;

  // NFC, Replace, Prepend and Sequences of them; nullptr for null. TOKENIZER_UNSUPPORTED for other types.
  // `place` is where `json` stands, for messages.
  static absl::StatusOr<std::unique_ptr<Normalizer>> Parse(const nlohmann::json& json,
                                                           const std::string& place);
};

}  // namespace heroq
