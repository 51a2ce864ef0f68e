#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace heroq {

// Fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
int EditDistance(absl::string_view a, absl::string_view b);

// The candidate that was probably meant: nearest to `typed`, at most a third of its length (at least one
// edit) away; "" when none is. Ties go to the first.
std::string ClosestName(absl::string_view typed, const std::vector<std::string>& candidates);

// " Did you mean X?", or "" without a likely candidate.
std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& candidates);

}  // namespace heroq
