#include "common/tokenizer/pattern_split.h"

#include <utility>

#include "common/status/status_macros.h"

namespace heroq {

PatternSplit::PatternSplit(std::unique_ptr<Regex> pattern, SplitBehavior behavior, bool invert)
    : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

absl::Status PatternSplit::Apply(Pieces* pieces) const {
  std::vector<TextRange> ranges;
  for (const TextRange& range : pieces->ranges) {
    HEROQ_ASSIGN_OR_RETURN(std::vector<MatchRange> matches, pattern_->FindMatches(range.In(pieces->text)));
    if (invert_) {
      for (MatchRange& match : matches) match.is_match = !match.is_match;
    }
    AppendPieces(matches, behavior_, range, &ranges);
  }
  pieces->ranges = std::move(ranges);
  return absl::OkStatus();
}

void AppendPieces(const std::vector<MatchRange>& matches, SplitBehavior behavior, const TextRange& range,
                  std::vector<TextRange>* ranges) {
  for (const TextRange& piece : SplitAt(matches, behavior)) {
    ranges->push_back({range.begin + piece.begin, range.begin + piece.end});
  }
}

}  // namespace heroq
