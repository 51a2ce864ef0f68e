#include "coordinator/client/suggestion.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace heroq {

int EditDistance(absl::string_view a, absl::string_view b) {
  // Optimal string alignment: distance[i][j] between the first i letters of a and the first j of b.
  std::vector<std::vector<int>> distance(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) distance[i][0] = static_cast<int>(i);
  for (std::size_t j = 0; j <= b.size(); ++j) distance[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int substitution = a[i - 1] == b[j - 1] ? 0 : 1;
      int best =
          std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, distance[i - 2][j - 2] + 1);
      }
      distance[i][j] = best;
    }
  }
  return distance[a.size()][b.size()];
}

std::string ClosestName(absl::string_view typed, const std::vector<std::string>& candidates) {
  const int limit = std::max(1, static_cast<int>(typed.size()) / 3);
  int nearest = limit + 1;
  std::string closest;
  for (const std::string& candidate : candidates) {
    const int distance = EditDistance(typed, candidate);
    if (distance < nearest) {
      nearest = distance;
      closest = candidate;
    }
  }
  return closest;
}

std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& candidates) {
  const std::string closest = ClosestName(typed, candidates);
  return closest.empty() ? "" : absl::StrCat(" Did you mean ", closest, "?");
}

}  // namespace heroq
