#include "common/model/shard_tree.h"

#include <algorithm>

namespace heroq {
namespace {

void AppendNodes(const ShardRange& node, const ShardRange& wanted, std::vector<ShardRange>& nodes) {
  if (node.begin >= wanted.end || node.end <= wanted.begin) return;
  if (wanted.begin <= node.begin && node.end <= wanted.end) {
    nodes.push_back(node);
    return;
  }
  const int64_t middle = SplitPoint(node);
  AppendNodes({node.begin, middle}, wanted, nodes);
  AppendNodes({middle, node.end}, wanted, nodes);
}

}  // namespace

int64_t SplitPoint(const ShardRange& node) {
  int64_t power = 1;
  while (power * 2 < node.size()) power *= 2;
  return node.begin + power;
}

bool IsTreeNode(const ShardRange& range, int64_t shards) {
  if (range.begin < 0 || range.begin >= range.end || range.end > shards) return false;
  ShardRange node{0, shards};
  while (node != range) {
    if (node.size() == 1) return false;
    const int64_t middle = SplitPoint(node);
    if (range.end <= middle) {
      node.end = middle;
    } else if (range.begin >= middle) {
      node.begin = middle;
    } else {
      return false;
    }
  }
  return true;
}

std::vector<ShardRange> CanonicalNodes(int64_t begin, int64_t end, int64_t shards) {
  std::vector<ShardRange> nodes;
  AppendNodes({0, shards}, {begin, end}, nodes);
  return nodes;
}

std::optional<ShardRange> ParentOf(const ShardRange& left, const ShardRange& right, int64_t shards) {
  const ShardRange parent{left.begin, right.end};
  if (left.end != right.begin || left.size() < 1 || right.size() < 1) return std::nullopt;
  if (!IsTreeNode(parent, shards) || SplitPoint(parent) != left.end) return std::nullopt;
  return parent;
}

ShardRange SequencesOfShard(int64_t shard, int64_t shards, int64_t sequences) {
  return {shard * sequences / shards, (shard + 1) * sequences / shards};
}

}  // namespace heroq
