#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "coordinator/state/job_record.h"

namespace heroq {

// How many bytes of statistics and hidden states a job's captures hold, and would hold. Pure.

// The lowest block with a quantize task that is not done: its captures are never held back. The block count
// when all are.
int OpenBlock(const JobRecord& job);

// Statistics no quantize task has used up and hidden states no task has read yet. Results that are in count
// what they weigh; captures on their way (leased, or in `leasing`, indices of tasks about to be) count what
// they are expected to.
int64_t CapturedBytes(const JobRecord& job, const std::set<int>& leasing);

// What a lease of these consecutive capture tasks of one block is expected to add.
int64_t ExpectedBytes(const JobRecord& job, const std::vector<int>& captures);

}  // namespace heroq
