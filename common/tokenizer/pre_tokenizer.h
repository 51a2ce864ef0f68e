#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tokenizer/split.h"

namespace heroq {

// A normalized text between added tokens, cut into the words that the model sees one at a time.
struct Pieces {
  std::string text;
  std::vector<TextRange> ranges;  // in order, none empty
  // The text begins where the document does.
  bool at_start = false;
};

// The "pre_tokenizer" of tokenizer.json. Thread-safe.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Cuts every range further; some kinds also rewrite the text.
  virtual absl::Status Apply(Pieces* pieces) const = 0;
  // Apply changes the text, not only the ranges.
  virtual bool rewrites_text() const { return false; }
  // Apply asks whether a range begins the document: it needs ranges of the text as it was written.
  virtual bool needs_original_text() const { return false; }

  // Split, Digits, ByteLevel, Metaspace and Sequences of them; nullptr for null. TOKENIZER_UNSUPPORTED for
  // other types, and for a Metaspace of prepend_scheme "first" behind a part that rewrites text. `place` is
  // where `json` stands.
  static absl::StatusOr<std::unique_ptr<PreTokenizer>> Parse(const nlohmann::json& json,
                                                             const std::string& place);
};

}  // namespace heroq
