#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/model/shard_tree.h"
#include "worker/calibration/packed_statistics.h"

namespace heroq {

// Adds the statistics of tree nodes as the fixed tree says, holding no more partial sums than it must (a
// logarithm of the shard count). Whichever nodes a worker starts from, leaves or sums of others, the bits are
// the same. Thread-compatible.
class ShardSum {
 public:
  explicit ShardSum(int64_t shards) : shards_(shards) {}

  struct Node {
    ShardRange shards;
    PackedStatistics statistics;
  };

  // `node` is a tree node that begins where the last one ended (anywhere for the first). INTERNAL otherwise.
  absl::Status Push(Node node);

  // The sums so far: CanonicalNodes of the shards pushed. Empties this.
  std::vector<Node> TakeNodes() { return std::exchange(nodes_, {}); }

 private:
  const int64_t shards_;
  std::vector<Node> nodes_;
};

}  // namespace heroq
