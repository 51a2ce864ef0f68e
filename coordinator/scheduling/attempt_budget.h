#pragma once

#include <optional>
#include <string>

#include "coordinator/scheduling/lease_options.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// Whether an attempt that failed this way may be repeated at all: not for invalid input, numerical failure
// and what this build cannot do, which would fail again anywhere. Pure.
bool IsRetried(v1::FailureKind kind);

// Whether such a failure counts towards the suspension of the worker that reported it: what another worker
// could do better. Pure.
bool SpeaksAgainstWorker(v1::FailureKind kind);

// The end of the job when attempts of `task_id` must stop: a failure that is never retried, or a spent
// budget; nullopt as long as another attempt is due. `task` already counts the attempt that ended with `kind`
// and `message` (FAILURE_KIND_UNSPECIFIED: its worker was lost). Pure.
std::optional<v1::JobFailure> JudgeAttempts(const TaskRecord& task, const std::string& task_id,
                                            v1::FailureKind kind, const std::string& message,
                                            const LeaseOptions& options);

// The end of the job over a task that `deaths` worker incarnations in a row died on; nullopt below the limit.
// Pure.
std::optional<v1::JobFailure> JudgeDeaths(int deaths, const std::string& task_id,
                                          const LeaseOptions& options);

}  // namespace heroq
