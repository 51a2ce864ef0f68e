#pragma once

#include "absl/status/status.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

// The transition rules: which update is allowed in which state, and what it changes. Pure; used by CoordinatorStore only
// (and by tests). Validate never changes anything; Apply of a validated update cannot fail. Copy-on-write per job.

// STALE_ATTEMPT for a fence that no longer holds its lease, JOB_NOT_FOUND, JOB_EXISTS, JOB_NOT_TERMINAL, or INTERNAL for an
// update that breaks a rule. Completing a lease twice with an equal result is OK and Apply then changes nothing.
absl::Status ValidateUpdate(const CoordinatorState& state, const v1::Update& update);
void ApplyUpdate(CoordinatorState& state, const v1::Update& update);

}  // namespace heroq
