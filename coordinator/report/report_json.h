#pragma once

#include <string>

#include "coordinator/state/job_record.h"

namespace heroq {

// report/report.json: what was done to every linear and how well it went, with the definition of every
// number. Only what equal jobs share: no times, hosts or paths. Requires every task done. Every member:
// docs/reference/report.md.
std::string ReportJson(const JobRecord& job);

// The same for a job that only evaluated a checkpoint: "evaluation" and its definitions.
std::string EvaluationReportJson(const JobRecord& job);

}  // namespace heroq
