#include <utility>

#include "common/file/failpoint.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/job_steps.h"

namespace heroq {

absl::StatusOr<bool> PlanStep(DriverSeams& seams, const JobRecord& job) {
  v1::Update update;
  update.mutable_job_planned()->set_job_id(job.job_id);
  HEROQ_ASSIGN_OR_RETURN(*update.mutable_job_planned()->mutable_plan(), seams.planner.MakePlan(job.spec));
  update.mutable_job_planned()->set_numeric_class(job.spec.numeric_class());
  HEROQ_FAILPOINT(plan_before_commit);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(plan_after_commit);
  return true;
}

}  // namespace heroq
