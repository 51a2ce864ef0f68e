#include "coordinator/planning/shard_split.h"

#include "absl/strings/str_format.h"

namespace heroq {

std::vector<ShardPieces> SplitIntoShards(const std::vector<int64_t>& piece_bytes, int64_t max_bytes) {
  std::vector<ShardPieces> shards;
  int64_t filled = 0;
  for (size_t i = 0; i < piece_bytes.size(); ++i) {
    if (shards.empty() || filled + piece_bytes[i] > max_bytes) {
      shards.push_back({i, i});
      filled = 0;
    }
    filled += piece_bytes[i];
    shards.back().end = i + 1;
  }
  return shards;
}

std::string ShardName(size_t index, size_t count) {
  if (count == 1) return "model.safetensors";
  return absl::StrFormat("model-%05d-of-%05d.safetensors", index + 1, count);
}

}  // namespace heroq
