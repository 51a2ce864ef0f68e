#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace heroq {

// The fixed binary tree over the calibration shards of a job in which partial statistics are added, so that
// their sum has the same bits whoever added which part. Pure interval arithmetic: no tensors, no I/O.
//
// The tree is defined top-down. Its root is [0, shards). A node of one shard is a leaf; a longer node [begin,
// end) splits at begin + p, p the largest power of two below end - begin. Hence every node but those that end
// at `shards` is an aligned run of a power of two of shards, for any number of shards. A node's value is
// float32(float64(left) + float64(right)).

// Shards [begin, end).
struct ShardRange {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  bool operator==(const ShardRange&) const = default;
};

// Where a node of at least two shards splits.
int64_t SplitPoint(const ShardRange& node);

bool IsTreeNode(const ShardRange& range, int64_t shards);

// The fewest nodes, in order, that cover [begin, end): what a worker that ran these shards hands in. Requires
// 0 <= begin < end <= shards.
std::vector<ShardRange> CanonicalNodes(int64_t begin, int64_t end, int64_t shards);

// The node whose two children are `left` and `right`; nullopt when there is none. Pushing nodes in shard
// order on a stack and joining its top two as long as they have a parent adds every node of the tree exactly
// once.
std::optional<ShardRange> ParentOf(const ShardRange& left, const ShardRange& right, int64_t shards);

// The sequences of a shard: [shard * sequences / shards, (shard + 1) * sequences / shards).
ShardRange SequencesOfShard(int64_t shard, int64_t shards, int64_t sequences);

}  // namespace heroq
