#pragma once

#include <memory>

#include "common/tokenizer/pre_tokenizer.h"
#include "common/tokenizer/regex.h"

namespace heroq {

// Splits at the matches of a pattern, or with `invert` at what lies between them.
class PatternSplit : public PreTokenizer {
 public:
  PatternSplit(std::unique_ptr<Regex> pattern, SplitBehavior behavior, bool invert);
  absl::Status Apply(Pieces* pieces) const override;

 private:
  const std::unique_ptr<Regex> pattern_;
  const SplitBehavior behavior_;
  const bool invert_;
};

// Appends the pieces of `range`, whose matches are counted from its begin, to `ranges`.
void AppendPieces(const std::vector<MatchRange>& matches, SplitBehavior behavior, const TextRange& range,
                  std::vector<TextRange>* ranges);

}  // namespace heroq
