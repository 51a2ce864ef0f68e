#pragma once

#include <set>

#include "coordinator/state/job_record.h"

namespace heroq {

// Indices into Plan.units of units with a tensor in a planned file that is not assembled yet. Pure.
std::set<int> UnwrittenUnits(const JobRecord& job);

}  // namespace heroq
