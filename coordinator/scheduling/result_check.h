#pragma once

#include <vector>

#include "absl/status/status.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// Whether a result holds everything that the tasks of a lease must hand in, so that no later task finds an
// input missing: capture: hidden states per shard where asked for, and for every input a planned linear of
// the block reads, nodes of the summation tree that cover the lease's shards once; quantize: "unit" and one
// report per linear; advance: hidden states per shard; evaluate: sums over at least one token. INTERNAL names
// what is missing or wrong. Pure; looks at no bytes.
absl::Status CheckResult(const JobRecord& job, const std::vector<int>& tasks, const v1::TaskResult& result);

}  // namespace heroq
