#include "common/tokenizer/bpe_merges.h"

#include <functional>
#include <queue>
#include <utility>

namespace heroq {
namespace {

// A doubly linked list over the tokens; merged ones drop out.
struct Link {
  int64_t previous;
  int64_t next;
  bool removed;
};

struct Candidate {
  int32_t rank;
  int32_t merged;
  int64_t position;

  // std::priority_queue gives the greatest.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

uint64_t Key(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

}  // namespace

void BpeMerges::Add(int32_t left, int32_t right, int32_t rank, int32_t merged) {
  merges_[Key(left, right)] = {rank, merged};
}

const BpeMerges::Merge* BpeMerges::Find(int32_t left, int32_t right) const {
  const auto found = merges_.find(Key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BpeMerges::Apply(std::vector<int32_t>* tokens) const {
  std::vector<int32_t>& ids = *tokens;
  const auto size = static_cast<int64_t>(ids.size());
  std::vector<Link> links(ids.size());
  std::vector<Candidate> initial;
  for (int64_t i = 0; i < size; ++i) {
    links[i] = {i - 1, i + 1 < size ? i + 1 : -1, false};
    if (i + 1 == size) break;
    if (const Merge* merge = Find(ids[i], ids[i + 1])) initial.push_back({merge->rank, merge->merged, i});
  }
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(initial));
  auto push = [&](int64_t left, int64_t right) {
    if (const Merge* merge = Find(ids[left], ids[right])) queue.push({merge->rank, merge->merged, left});
  };
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Link& link = links[top.position];
    if (link.removed || link.next < 0) continue;
    const int64_t right = link.next;
    // The neighbours may have changed since the candidate was queued.
    const Merge* merge = Find(ids[top.position], ids[right]);
    if (merge == nullptr || merge->merged != top.merged) continue;
    ids[top.position] = top.merged;
    links[right].removed = true;
    link.next = links[right].next;
    if (link.next >= 0) links[link.next].previous = top.position;
    if (link.previous >= 0) push(link.previous, top.position);
    if (link.next >= 0) push(top.position, link.next);
  }
  int64_t kept = 0;
  for (int64_t i = 0; i < size; ++i) {
    if (!links[i].removed) ids[kept++] = ids[i];
  }
  ids.resize(kept);
}

}  // namespace heroq
