#include "worker/agent/hidden_state_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace heroq {

void HiddenStateCache::Put(int64_t block, const Digest& digest, at::Tensor hidden) {
  DropIf([&](const Entry& entry) {
    return (entry.block != block && entry.block != block - 1) || entry.sha256 == digest.sha256;
  });
  bytes_ += static_cast<int64_t>(hidden.nbytes());
  entries_.push_back({block, digest.sha256, std::move(hidden)});
  while (bytes_ > capacity_bytes_) Drop(entries_.begin());
}

void HiddenStateCache::Drop(std::list<Entry>::iterator entry) {
  bytes_ -= static_cast<int64_t>(entry->hidden.nbytes());
  entries_.erase(entry);
}

void HiddenStateCache::DropIf(const std::function<bool(const Entry&)>& condition) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (condition(*entry)) Drop(entry);
    entry = next;
  }
}

std::optional<at::Tensor> HiddenStateCache::Take(int64_t block, const Digest& digest) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.sha256 == digest.sha256; });
  if (found == entries_.end()) {
    DropIf([&](const Entry& entry) { return entry.block == block; });
    return std::nullopt;
  }
  at::Tensor hidden = found->hidden;
  Drop(found);
  return hidden;
}

}  // namespace heroq
