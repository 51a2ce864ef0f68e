#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "common/blob/blob_store.h"

namespace heroq {

// Hidden states this process has just produced, by the digest of their blob, so that a worker that goes on
// with the same shards need not fetch them. Holds those of two successive blocks, as long as it is this
// worker that goes on with the older ones, and at most `capacity_bytes`; the oldest go first.
// Thread-compatible.
class HiddenStateCache {
 public:
  explicit HiddenStateCache(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // What `block` gave. Drops all but its hidden states and those of the block before.
  void Put(int64_t block, const Digest& digest, at::Tensor hidden);
  // What `block` gave. Removes what it returns: hidden states are read once. Drops all that the block gave
  // when this is not among it: shards have changed hands, and others go on with those.
  std::optional<at::Tensor> Take(int64_t block, const Digest& digest);
  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    int64_t block = 0;
    std::string sha256;
    at::Tensor hidden;
  };

  void Drop(std::list<Entry>::iterator entry);
  void DropIf(const std::function<bool(const Entry&)>& condition);

  const int64_t capacity_bytes_;
  int64_t bytes_ = 0;
  std::list<Entry> entries_;  // oldest first
};

}  // namespace heroq
