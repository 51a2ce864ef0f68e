#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "common/blob/blob_store.h"

namespace heroq {

// Hidden states this process has just produced, by the digest of their blob, so that a worker that goes on
// with the same shards need not fetch them. Holds those of two successive blocks, since others may have gone
// on with what is older, and at most `capacity_bytes`; the oldest go first. Thread-compatible.
class HiddenStateCache {
 public:
  explicit HiddenStateCache(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // What `block` gave. Drops all but its hidden states and those of the block before.
  void Put(int64_t block, const Digest& digest, at::Tensor hidden);
  // Removes what it returns: hidden states are read once.
  std::optional<at::Tensor> Take(const Digest& digest);
  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    int64_t block = 0;
    std::string sha256;
    at::Tensor hidden;
  };

  void Drop(std::list<Entry>::iterator entry);

  const int64_t capacity_bytes_;
  int64_t bytes_ = 0;
  std::list<Entry> entries_;  // oldest first
};

}  // namespace heroq
