#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace heroq {

// Token ids of words seen before. Bounded: full, it keeps what it has. Thread-safe; sharded so that threads
// rarely meet.
class WordCache {
 public:
  // Appends the ids of `word` to `ids` if it is known.
  bool AppendTo(absl::string_view word, std::vector<int32_t>* ids) const;
  void Put(absl::string_view word, const std::vector<int32_t>& ids);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kWordsPerShard = 8192;
  static constexpr std::size_t kLongestWord = 256;  // bytes; longer ones hardly come back

  struct Shard {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<std::string, std::vector<int32_t>> words ABSL_GUARDED_BY(mutex);
  };
  static std::size_t ShardOf(absl::string_view word);

  std::array<Shard, kShards> shards_;
};

}  // namespace heroq
