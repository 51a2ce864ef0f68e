#pragma once

#include <optional>
#include <string>

#include "common/tokenizer/pre_tokenizer.h"

namespace heroq {

// SentencePiece's view of spaces: each becomes `replacement` ("▁"), one is put before a range that starts
// with none as `prepend` says, and the range is split before every one of them (on request).
class Metaspace : public PreTokenizer {
 public:
  enum class Prepend { kAlways, kFirst, kNever };  // kFirst: only where the document begins
  // "always", "first", "never"
  static std::optional<Prepend> ParsePrepend(absl::string_view text);
  static bool IsOneCharacter(absl::string_view text);

  // `replacement` is one character.
  Metaspace(std::string replacement, Prepend prepend, bool split);
  absl::Status Apply(Pieces* pieces) const override;
  bool rewrites_text() const override { return true; }
  bool needs_original_text() const override { return prepend_ == Prepend::kFirst; }

 private:
  bool Prepends(const Pieces& pieces, const TextRange& range) const;
  std::vector<MatchRange> FindReplacement(absl::string_view text) const;

  const std::string replacement_;
  const Prepend prepend_;
  const bool split_;
};

}  // namespace heroq
