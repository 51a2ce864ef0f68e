#include "common/tokenizer/split.h"

#include <algorithm>

namespace heroq {
namespace {

std::vector<TextRange> MergeContiguous(const std::vector<MatchRange>& matches) {
  std::vector<TextRange> pieces;
  bool previous_match = false;
  for (const MatchRange& match : matches) {
    if (match.is_match == previous_match && !pieces.empty()) {
      pieces.back().end = match.range.end;
    } else {
      pieces.push_back(match.range);
    }
    previous_match = match.is_match;
  }
  return pieces;
}

// Of a run of matches only the first joins the piece before it.
std::vector<TextRange> MergeWithPrevious(const std::vector<MatchRange>& matches) {
  std::vector<TextRange> pieces;
  bool previous_match = false;
  for (const MatchRange& match : matches) {
    if (match.is_match && !previous_match && !pieces.empty()) {
      pieces.back().end = match.range.end;
    } else {
      pieces.push_back(match.range);
    }
    previous_match = match.is_match;
  }
  return pieces;
}

std::vector<TextRange> MergeWithNext(const std::vector<MatchRange>& matches) {
  std::vector<TextRange> pieces;
  bool next_match = false;
  for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
    if (match->is_match && !next_match && !pieces.empty()) {
      pieces.back().begin = match->range.begin;
    } else {
      pieces.push_back(match->range);
    }
    next_match = match->is_match;
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

std::vector<TextRange> Pieces(const std::vector<MatchRange>& matches, bool keep_matches) {
  std::vector<TextRange> pieces;
  pieces.reserve(matches.size());
  for (const MatchRange& match : matches) {
    if (keep_matches || !match.is_match) pieces.push_back(match.range);
  }
  return pieces;
}

}  // namespace

std::optional<SplitBehavior> ParseSplitBehavior(absl::string_view text) {
  if (text == "Removed") return SplitBehavior::kRemoved;
  if (text == "Isolated") return SplitBehavior::kIsolated;
  if (text == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (text == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (text == "Contiguous") return SplitBehavior::kContiguous;
  return std::nullopt;
}

std::vector<TextRange> SplitAt(const std::vector<MatchRange>& matches, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      return Pieces(matches, /*keep_matches=*/false);
    case SplitBehavior::kIsolated:
      return Pieces(matches, /*keep_matches=*/true);
    case SplitBehavior::kMergedWithPrevious:
      return MergeWithPrevious(matches);
    case SplitBehavior::kMergedWithNext:
      return MergeWithNext(matches);
    case SplitBehavior::kContiguous:
      return MergeContiguous(matches);
  }
  return {};
}

}  // namespace heroq
