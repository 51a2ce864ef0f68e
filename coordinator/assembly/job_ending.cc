#include <set>
#include <string>
#include <utility>

#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/blob_collection.h"
#include "coordinator/assembly/job_steps.h"
#include "coordinator/assembly/staging.h"

namespace heroq {
namespace {

// Of the job and of everything it tried.
absl::Status RemoveAllStaging(DriverSeams& seams, const JobRecord& job) {
  const v1::Plan* plan = job.plan.get();
  if (plan == nullptr && !job.trials.empty()) plan = job.trials.front().job->plan.get();
  if (plan == nullptr || plan->output_directory().empty()) return absl::OkStatus();
  for (int trial = 0; trial <= static_cast<int>(job.trials.size()) + 1; ++trial) {
    HEROQ_RETURN_IF_ERROR(RemoveStaging(seams.files, plan->output_directory(), StagingId(job.job_id, trial)));
  }
  return absl::OkStatus();
}

}  // namespace

v1::JobFailure FailureOf(const absl::Status& error) {
  v1::JobFailure failure;
  const std::string reason = ReasonName(error);
  failure.set_reason(reason.empty() ? std::string(InfoOf(Reason::kInternal).name) : reason);
  failure.set_message(std::string(error.message()));
  return failure;
}

absl::Status FailJob(DriverSeams& seams, const JobRecord& job, const absl::Status& error) {
  v1::Update update;
  v1::JobEnded& ended = *update.mutable_job_ended();
  ended.set_job_id(job.job_id);
  ended.set_state(v1::QuantizationJob::STATE_FAILED);
  *ended.mutable_failure() = FailureOf(error);
  return seams.store.CommitAndWait(std::move(update));
}

absl::StatusOr<bool> CancelStep(DriverSeams& seams, const JobRecord& job, JobWork& work) {
  work.staged.reset();
  HEROQ_RETURN_IF_ERROR(RemoveAllStaging(seams, job));
  v1::Update update;
  update.mutable_job_ended()->set_job_id(job.job_id);
  update.mutable_job_ended()->set_state(v1::QuantizationJob::STATE_CANCELLED);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  return true;
}

absl::Status CleanUp(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job, JobWork& work) {
  HEROQ_FAILPOINT(cleanup_before_staging);
  work.staged.reset();
  HEROQ_RETURN_IF_ERROR(RemoveAllStaging(seams, job));
  HEROQ_FAILPOINT(cleanup_before_blobs);
  if (seams.options.keep_state) return absl::OkStatus();
  // Everything is looked for: a task that ran twice may have stored again what had been dropped.
  std::set<std::string> dropped;
  return DropUnneededBlobs(state, job, seams.blobs, dropped);
}

}  // namespace heroq
