#pragma once

#include <string>

#include "absl/time/time.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// report/run.json: what this run cost and where it ran: times, attempts, memory, paths. Differs from run to
// run; the manifest lists it without a hash. Every member: docs/reference/report.md.
std::string RunJson(const JobRecord& job, absl::Time end_time);

}  // namespace heroq
