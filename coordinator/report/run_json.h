#pragma once

#include <string>

#include "absl/time/time.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// report/run.json: when, where and by whom a job was run: times, paths, source files, and per task attempts,
// worker, seconds and memory. Different in every run; the manifest lists it without a hash. `now` is when it
// is written.
std::string RunJson(const JobRecord& job, absl::Time now);

}  // namespace heroq
