#pragma once

#include <string>

#include "coordinator/state/job_record.h"

namespace heroq {

// report/report.json: what was done to every linear and how well it went, the evaluation, and what the plan
// predicted (docs/reference/report.md). Only content that depends on the specification, numeric class and
// version: no times, hosts, paths. `job` has all its results.
std::string ReportJson(const JobRecord& job, const std::string& heroq_version);

}  // namespace heroq
