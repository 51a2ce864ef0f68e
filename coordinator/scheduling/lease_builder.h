#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// The id of leased work: the task's own, or "capture/3/0-4" for several consecutive shards. Pure.
std::string LeasedTaskId(const JobRecord& job, const std::vector<int>& tasks);

// The task that a lease of these tasks sends to its worker: their parameters from the plan, their inputs from
// the results of the tasks they depend on. INTERNAL when one of those lacks an input. Pure.
absl::StatusOr<v1::Task> BuildTask(const JobRecord& job, const std::vector<int>& tasks);

// Whether a capture task also hands in the hidden states after its block. Pure.
bool EmitsHiddenStates(const JobRecord& job, int task);

// What every task of the job shares. Pure.
v1::JobContext BuildContext(const JobRecord& job);

}  // namespace heroq
