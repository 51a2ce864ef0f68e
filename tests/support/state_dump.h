#pragma once

#include <string>

#include "coordinator/state/job_record.h"

namespace heroq {

// Every field of the state as text: equal exactly for equal states.
std::string DumpState(const CoordinatorState& state);
std::string DumpJob(const JobRecord& job);

// What must hold in every state, whatever the updates before it, as a list of violations (empty: all hold): a
// task is leased by exactly the live lease it names, and done exactly when it has a result; jobs that do not
// run have no leases; fences of live leases differ and are of this epoch.
std::string BrokenInvariants(const CoordinatorState& state);

}  // namespace heroq
