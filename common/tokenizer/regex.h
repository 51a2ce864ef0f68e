#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/split.h"

namespace heroq {

// A pattern of tokenizer.json. Thread-safe.
class Regex {
 public:
  // TOKENIZER_UNSUPPORTED for a pattern that is outside the known dialect (regex_dialect.h), malformed, or
  // may match the empty text.
  static absl::StatusOr<std::unique_ptr<Regex>> Compile(absl::string_view pattern);
  // Matches `text` itself, which is not empty.
  static absl::StatusOr<std::unique_ptr<Regex>> Literal(absl::string_view text);
  ~Regex();

  // All non-overlapping matches from the left and what lies between them. `text` is valid UTF-8.
  // TOKENIZER_UNSUPPORTED, naming the pattern and the limit, when finding them takes unreasonably much:
  // backtracking steps or memory of one match, or bytes looked at over the whole text. Time grows with the
  // length of the text, whatever the pattern.
  absl::StatusOr<std::vector<MatchRange>> FindMatches(absl::string_view text) const;

 private:
  struct Code;
  explicit Regex(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace heroq
