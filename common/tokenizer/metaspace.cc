#include "common/tokenizer/metaspace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/tokenizer/pattern_split.h"
#include "common/tokenizer/utf8.h"

namespace heroq {

std::optional<Metaspace::Prepend> Metaspace::ParsePrepend(absl::string_view text) {
  if (text == "always") return Prepend::kAlways;
  if (text == "first") return Prepend::kFirst;
  if (text == "never") return Prepend::kNever;
  return std::nullopt;
}

bool Metaspace::IsOneCharacter(absl::string_view text) {
  if (text.empty()) return false;
  int64_t position = 0;
  NextCodePoint(text, &position);
  return position == static_cast<int64_t>(text.size());
}

Metaspace::Metaspace(std::string replacement, Prepend prepend, bool split)
    : replacement_(std::move(replacement)), prepend_(prepend), split_(split) {}

bool Metaspace::Prepends(const Pieces& pieces, const TextRange& range) const {
  const absl::string_view text = range.In(pieces.text);
  if (absl::StartsWith(text, " ") || absl::StartsWith(text, replacement_)) return false;
  switch (prepend_) {
    case Prepend::kAlways:
      return true;
    case Prepend::kFirst:
      return pieces.at_start && range.begin == 0;
    case Prepend::kNever:
      return false;
  }
  return false;
}

std::vector<MatchRange> Metaspace::FindReplacement(absl::string_view text) const {
  std::vector<MatchRange> matches;
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t found = std::min(text.find(replacement_, position), text.size());
    if (found > position)
      matches.push_back({{static_cast<int64_t>(position), static_cast<int64_t>(found)}, false});
    if (found == text.size()) break;
    position = found + replacement_.size();
    matches.push_back({{static_cast<int64_t>(found), static_cast<int64_t>(position)}, true});
  }
  return matches;
}

absl::Status Metaspace::Apply(Pieces* pieces) const {
  Pieces out;
  out.at_start = pieces->at_start;
  for (const TextRange& range : pieces->ranges) {
    const auto begin = static_cast<int64_t>(out.text.size());
    if (Prepends(*pieces, range)) out.text += replacement_;
    absl::StrAppend(&out.text, absl::StrReplaceAll(range.In(pieces->text), {{" ", replacement_}}));
    const TextRange rewritten{begin, static_cast<int64_t>(out.text.size())};
    if (split_) {
      AppendPieces(FindReplacement(rewritten.In(out.text)), SplitBehavior::kMergedWithNext, rewritten,
                   &out.ranges);
    } else {
      out.ranges.push_back(rewritten);
    }
  }
  *pieces = std::move(out);
  return absl::OkStatus();
}

}  // namespace heroq
