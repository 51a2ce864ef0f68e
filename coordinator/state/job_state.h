#pragma once

#include "absl/status/status.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

// The transition rules: which update is allowed in which state, and what it changes. Pure; used by
// CoordinatorStore only (and by tests). Validate never changes anything; Apply of a validated update cannot
// fail. Copy-on-write per job.

// STALE_ATTEMPT for a fence that no longer holds its lease, JOB_NOT_FOUND, JOB_EXISTS (also for a request id
// the tenant has used; metadata job_id names the job that has it), JOB_NOT_TERMINAL, CANCELLED for work on a
// job that is being cancelled, or INTERNAL for an update that breaks a rule.
absl::Status ValidateUpdate(const CoordinatorState& state, const v1::Update& update);

// False for a valid update that has nothing to do and need not be journaled: a lease completed again with an
// equal result (metrics aside), a job cancelled again or after its end.
bool ChangesState(const CoordinatorState& state, const v1::Update& update);

// Changes jobs in place that `state` alone holds and copies the others, so that records seen by a reader
// never change.
void ApplyUpdate(CoordinatorState& state, const v1::Update& update);

}  // namespace heroq
