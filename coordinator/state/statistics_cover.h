#pragma once

#include <string>
#include <vector>

#include "coordinator/state/job_record.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// The reported nodes of `input` that the sum over all shards starts from, by shard: of the results of these
// capture tasks the largest nodes, each shard once. A shard is reported twice when only its hidden states
// were lost: its capture ran again alone while the node it shared with its neighbours stayed. Nodes are of
// one tree, so either holds the other and the sum has the same bits. Pure.
std::vector<v1::StatisticsNode> StatisticsCover(const JobRecord& job, const std::vector<int>& captures,
                                                const std::string& input);

}  // namespace heroq
