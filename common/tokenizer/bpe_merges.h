#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace heroq {

// The merges of a byte-pair encoding: which two neighbouring tokens become which one, and how early.
// Thread-safe once filled.
class BpeMerges {
 public:
  void Reserve(std::size_t count) { merges_.reserve(count); }
  // A pair given twice keeps the later rank.
  void Add(int32_t left, int32_t right, int32_t rank, int32_t merged);

  // Merges neighbours until no merge applies: always the pair of lowest rank, the leftmost of equals first.
  // O(n log n) in the number of tokens.
  void Apply(std::vector<int32_t>* tokens) const;

 private:
  struct Merge {
    int32_t rank;
    int32_t merged;
  };
  const Merge* Find(int32_t left, int32_t right) const;

  absl::flat_hash_map<uint64_t, Merge> merges_;  // key: left in the high half, right in the low one
};

}  // namespace heroq
