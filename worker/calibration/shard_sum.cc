#include "worker/calibration/shard_sum.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

absl::Status ShardSum::Push(Node node) {
  const ShardRange range = node.shards;
  if (!IsTreeNode(range, shards_) || (!nodes_.empty() && nodes_.back().shards.end != range.begin)) {
    return MakeError(Reason::kInternal, absl::StrCat("statistics of shards [", range.begin, ", ", range.end,
                                                     ") are no node of the tree over ", shards_,
                                                     " shards, or do not follow the shards before"));
  }
  nodes_.push_back(std::move(node));
  while (nodes_.size() >= 2) {
    Node& left = nodes_[nodes_.size() - 2];
    const std::optional<ShardRange> parent = ParentOf(left.shards, nodes_.back().shards, shards_);
    if (!parent) break;
    HEROQ_RETURN_IF_ERROR(AddRight(left.statistics, nodes_.back().statistics));
    left.shards = *parent;
    nodes_.pop_back();
  }
  return absl::OkStatus();
}

}  // namespace heroq
