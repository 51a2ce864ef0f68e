#include "common/tokenizer/word_cache.h"

#include "absl/hash/hash.h"

namespace heroq {

std::size_t WordCache::ShardOf(absl::string_view word) {
  // The high bits: the map of the shard uses the low ones.
  return absl::Hash<absl::string_view>()(word) >> 56 & (kShards - 1);
}

bool WordCache::AppendTo(absl::string_view word, std::vector<int32_t>* ids) const {
  const Shard& shard = shards_[ShardOf(word)];
  absl::ReaderMutexLock lock(&shard.mutex);
  const auto found = shard.words.find(word);
  if (found == shard.words.end()) return false;
  ids->insert(ids->end(), found->second.begin(), found->second.end());
  return true;
}

void WordCache::Put(absl::string_view word, const std::vector<int32_t>& ids) {
  if (word.size() > kLongestWord) return;
  Shard& shard = shards_[ShardOf(word)];
  absl::MutexLock lock(&shard.mutex);
  if (shard.words.size() < kWordsPerShard) shard.words.emplace(std::string(word), ids);
}

}  // namespace heroq
