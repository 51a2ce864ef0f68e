#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/split.h"

namespace heroq {

// Finds fixed strings in a text: from the left, the longest where several begin, never overlapping.
// Thread-safe once filled.
class TokenMatcher {
 public:
  struct Match {
    TextRange range;
    int32_t id = 0;
  };

  // False if the string is there already. `text` is not empty.
  bool Add(absl::string_view text, int32_t id);
  bool empty() const { return nodes_.size() == 1; }
  std::vector<Match> Find(absl::string_view text) const;

 private:
  struct Node {
    absl::flat_hash_map<char, int32_t> next;
    int32_t id = -1;  // of the string that ends here
  };
  // The longest string that begins at `begin`; id -1 if none does.
  Match LongestAt(absl::string_view text, int64_t begin) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  bool starts_[256] = {};
};

}  // namespace heroq
