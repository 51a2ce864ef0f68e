#include "coordinator/state/statistics_cover.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace heroq {

std::vector<v1::StatisticsNode> StatisticsCover(const JobRecord& job, const std::vector<int>& captures,
                                                const std::string& input) {
  std::vector<const v1::StatisticsNode*> nodes;
  std::set<const v1::TaskResult*> seen;
  for (int capture : captures) {
    const v1::TaskResult* result = job.tasks[capture].result.get();
    if (result == nullptr || !seen.insert(result).second) continue;
    for (const v1::StatisticsNode& node : result->statistics()) {
      if (node.input() == input) nodes.push_back(&node);
    }
  }
  std::sort(nodes.begin(), nodes.end(), [](const v1::StatisticsNode* a, const v1::StatisticsNode* b) {
    return std::make_tuple(a->shard_begin(), -a->shard_end()) <
           std::make_tuple(b->shard_begin(), -b->shard_end());
  });
  std::vector<v1::StatisticsNode> cover;
  int covered = 0;
  for (const v1::StatisticsNode* node : nodes) {
    if (node->shard_begin() < covered) continue;
    cover.push_back(*node);
    covered = node->shard_end();
  }
  return cover;
}

}  // namespace heroq
