#include <utility>
#include <vector>

#include "common/file/failpoint.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/job_steps.h"
#include "coordinator/planning/transform_trials.h"
#include "coordinator/report/job_results.h"

namespace heroq {

namespace {

absl::StatusOr<v1::Plan> MakePlan(DriverSeams& seams, const JobRecord& job, v1::JobPlanned& planned) {
  if (!TriesTransforms(job.spec.method())) return seams.planner.MakePlan(job.spec);
  std::vector<double> divergence;
  for (const TrialRecord& trial : job.trials) divergence.push_back(MeansOf(trial.evaluation).kl);
  const Trial trial = NextTrial(divergence);
  planned.set_trial(trial.number);
  return seams.planner.MakePlan(job.spec, trial);
}

}  // namespace

absl::StatusOr<bool> PlanStep(DriverSeams& seams, const JobRecord& job) {
  v1::Update update;
  update.mutable_job_planned()->set_job_id(job.job_id);
  HEROQ_ASSIGN_OR_RETURN(*update.mutable_job_planned()->mutable_plan(),
                         MakePlan(seams, job, *update.mutable_job_planned()));
  update.mutable_job_planned()->set_numeric_class(job.spec.numeric_class());
  HEROQ_FAILPOINT(plan_before_commit);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(plan_after_commit);
  return true;
}

}  // namespace heroq
