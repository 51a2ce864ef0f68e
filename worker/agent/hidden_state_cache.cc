#include "worker/agent/hidden_state_cache.h"

#include <algorithm>
#include <utility>

namespace heroq {

void HiddenStateCache::Put(const Digest& digest, at::Tensor hidden) {
  Take(digest);
  bytes_ += static_cast<int64_t>(hidden.nbytes());
  entries_.push_back({digest.sha256, std::move(hidden)});
  while (bytes_ > capacity_bytes_) {
    bytes_ -= static_cast<int64_t>(entries_.front().hidden.nbytes());
    entries_.pop_front();
  }
}

std::optional<at::Tensor> HiddenStateCache::Take(const Digest& digest) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.sha256 == digest.sha256; });
  if (found == entries_.end()) return std::nullopt;
  at::Tensor hidden = std::move(found->hidden);
  bytes_ -= static_cast<int64_t>(hidden.nbytes());
  entries_.erase(found);
  return hidden;
}

}  // namespace heroq
