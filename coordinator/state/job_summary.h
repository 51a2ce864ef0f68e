#pragma once

#include <string>
#include <vector>

#include "coordinator/state/job_record.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// The job as users see it. `running` and `waiting_for` come from the LeaseManager. Calibration counts capture
// and advance tasks. `eta_seconds`: mean seconds of the finished tasks of each kind times what is left, over
// the leases that run now; negative as long as a kind that is left has no finished task, or nothing runs.
// Evaluation that has not begun is estimated from the captures. Pure.
v1::QuantizationJob SummarizeJob(const JobRecord& job, const std::vector<v1::RunningTask>& running,
                                 const std::string& waiting_for);

}  // namespace heroq
