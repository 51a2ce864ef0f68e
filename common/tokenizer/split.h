#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace heroq {

// Bytes [begin, end) of a text.
struct TextRange {
  int64_t begin = 0;
  int64_t end = 0;

  absl::string_view In(absl::string_view text) const { return text.substr(begin, end - begin); }
};

// One step of a text that is cut into matches of a pattern and what lies between them: contiguous, in order,
// covering it.
struct MatchRange {
  TextRange range;
  bool is_match = false;
};

// What becomes of the matches (delimiters) when a text is split at them.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// The spelling of tokenizer.json: "Removed", "Isolated", ...
std::optional<SplitBehavior> ParseSplitBehavior(absl::string_view text);

// The pieces of `matches` (none of them empty) under `behavior`, in order.
std::vector<TextRange> SplitAt(const std::vector<MatchRange>& matches, SplitBehavior behavior);

}  // namespace heroq
