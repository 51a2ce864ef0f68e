#include "common/tokenizer/token_matcher.h"

namespace heroq {

bool TokenMatcher::Add(absl::string_view text, int32_t id) {
  starts_[static_cast<uint8_t>(text[0])] = true;
  int32_t node = 0;
  for (char byte : text) {
    const auto [next, is_new] = nodes_[node].next.try_emplace(byte, static_cast<int32_t>(nodes_.size()));
    node = next->second;
    if (is_new) nodes_.emplace_back();
  }
  if (nodes_[node].id >= 0) return false;
  nodes_[node].id = id;
  return true;
}

TokenMatcher::Match TokenMatcher::LongestAt(absl::string_view text, int64_t begin) const {
  Match longest{{begin, begin}, -1};
  int32_t node = 0;
  for (int64_t i = begin; i < static_cast<int64_t>(text.size()); ++i) {
    const auto next = nodes_[node].next.find(text[i]);
    if (next == nodes_[node].next.end()) break;
    node = next->second;
    if (nodes_[node].id >= 0) longest = {{begin, i + 1}, nodes_[node].id};
  }
  return longest;
}

std::vector<TokenMatcher::Match> TokenMatcher::Find(absl::string_view text) const {
  std::vector<Match> matches;
  int64_t position = 0;
  while (position < static_cast<int64_t>(text.size())) {
    if (starts_[static_cast<uint8_t>(text[position])]) {
      if (const Match match = LongestAt(text, position); match.id >= 0) {
        matches.push_back(match);
        position = match.range.end;
        continue;
      }
    }
    ++position;
  }
  return matches;
}

}  // namespace heroq
