#include "worker/agent/statistics_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/model/shard_tree.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "worker/agent/tensor_blobs.h"
#include "worker/calibration/shard_sum.h"
#include "worker/device/torch_status.h"

namespace heroq {
namespace {

absl::StatusOr<LayerStatistics> SumNodes(BlobStore& blobs,
                                         const std::vector<const v1::StatisticsNode*>& nodes,
                                         int64_t shards) {
  ShardSum sum(shards);
  for (const v1::StatisticsNode* node : nodes) {
    const Digest digest = DigestFromProto(node->blob());
    HEROQ_ASSIGN_OR_RETURN(std::string bytes, blobs.Get(digest));
    HEROQ_ASSIGN_OR_RETURN(PackedStatistics part,
                           ParseStatistics(std::move(bytes), absl::StrCat("statistics ", digest.sha256)));
    HEROQ_RETURN_IF_ERROR(sum.Push({{node->shard_begin(), node->shard_end()}, std::move(part)}));
  }
  const std::vector<ShardSum::Node> total = sum.TakeNodes();
  if (total.size() != 1 || total[0].shards != ShardRange{0, shards}) {
    return MakeError(Reason::kInternal, absl::StrCat("statistics of ", nodes[0]->input(),
                                                     " do not cover all ", shards, " shards"));
  }
  return CatchTorch("unpack statistics", [&] { return Unpack(total[0].statistics); });
}

}  // namespace

absl::StatusOr<std::map<LinearInput, LayerStatistics>> ReadStatistics(
    BlobStore& blobs, const google::protobuf::RepeatedPtrField<v1::StatisticsNode>& nodes, int64_t shards) {
  std::map<LinearInput, std::vector<const v1::StatisticsNode*>> nodes_of;
  for (const v1::StatisticsNode& node : nodes) {
    const std::optional<LinearInput> input = ParseLinearInput(node.input());
    if (!input)
      return MakeError(Reason::kInternal, absl::StrCat("statistics name no input: '", node.input(), "'"));
    nodes_of[*input].push_back(&node);
  }
  std::map<LinearInput, LayerStatistics> statistics;
  for (auto& [input, parts] : nodes_of) {
    std::sort(parts.begin(), parts.end(),
              [](const auto* a, const auto* b) { return a->shard_begin() < b->shard_begin(); });
    HEROQ_ASSIGN_OR_RETURN(statistics[input], SumNodes(blobs, parts, shards));
  }
  return statistics;
}

}  // namespace heroq
