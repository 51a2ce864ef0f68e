#include "common/tokenizer/digits.h"

#include <unicode/uchar.h>

#include <utility>

#include "common/tokenizer/pattern_split.h"
#include "common/tokenizer/utf8.h"

namespace heroq {
namespace {

bool IsNumeric(int32_t code_point) {
  if (code_point < 0x80) return code_point >= '0' && code_point <= '9';
  return (U_GET_GC_MASK(code_point) & U_GC_N_MASK) != 0;
}

std::vector<MatchRange> FindNumeric(absl::string_view text) {
  std::vector<MatchRange> matches;
  int64_t unmatched = 0;
  int64_t position = 0;
  while (position < static_cast<int64_t>(text.size())) {
    const int64_t begin = position;
    if (!IsNumeric(NextCodePoint(text, &position))) continue;
    if (unmatched < begin) matches.push_back({{unmatched, begin}, false});
    matches.push_back({{begin, position}, true});
    unmatched = position;
  }
  if (unmatched < position) matches.push_back({{unmatched, position}, false});
  return matches;
}

}  // namespace

absl::Status Digits::Apply(Pieces* pieces) const {
  const SplitBehavior behavior = individual_ ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
  std::vector<TextRange> ranges;
  for (const TextRange& range : pieces->ranges) {
    AppendPieces(FindNumeric(range.In(pieces->text)), behavior, range, &ranges);
  }
  pieces->ranges = std::move(ranges);
  return absl::OkStatus();
}

}  // namespace heroq
