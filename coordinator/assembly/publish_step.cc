#include <map>
#include <optional>
#include <utility>

#include "common/file/failpoint.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/job_steps.h"
#include "coordinator/assembly/publication.h"
#include "coordinator/assembly/side_files.h"
#include "coordinator/planning/model_inspection.h"
#include "coordinator/report/job_results.h"
#include "coordinator/validation/checkpoint_validator.h"
#include "coordinator/validation/findings.h"

namespace heroq {
namespace {

absl::Status CommitPhase(DriverSeams& seams, const JobRecord& job, v1::QuantizationJob::Phase phase,
                         const std::string& staging) {
  v1::Update update;
  update.mutable_job_phase_changed()->set_job_id(job.job_id);
  update.mutable_job_phase_changed()->set_phase(phase);
  update.mutable_job_phase_changed()->set_staging_directory(staging);
  HEROQ_FAILPOINT(phase_before_commit);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(phase_after_commit);
  return absl::OkStatus();
}

absl::Status CommitSuccess(DriverSeams& seams, const JobRecord& job, const v1::JobResult& result) {
  v1::Update update;
  update.mutable_job_ended()->set_job_id(job.job_id);
  update.mutable_job_ended()->set_state(v1::QuantizationJob::STATE_SUCCEEDED);
  *update.mutable_job_ended()->mutable_result() = result;
  HEROQ_FAILPOINT(job_end_before_commit);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(job_end_after_commit);
  return absl::OkStatus();
}

absl::Status Validate(DriverSeams& seams, const JobRecord& job, const std::string& staging) {
  std::map<std::string, StatedWeight> reported;
  for (const v1::LinearReport* report : LinearReports(job)) {
    reported[report->name()] = {report->weight_error(), report->weight_digest(), report->transformed()};
  }
  HEROQ_ASSIGN_OR_RETURN(const v1::ValidateCheckpointResponse response,
                         ValidateStaged(seams.files, staging, *job.plan, reported));
  return ToStatus(response, staging);
}

absl::Status FinishTrial(DriverSeams& seams, const JobRecord& job) {
  const v1::EvaluationResult evaluation = TotalEvaluation(job).value_or(v1::EvaluationResult());
  HEROQ_RETURN_IF_ERROR(CheckQuality(evaluation, {}));
  v1::Update update;
  v1::TrialFinished& finished = *update.mutable_trial_finished();
  finished.set_job_id(job.job_id);
  finished.set_transform(job.plan->method().hero_q().transform());
  *finished.mutable_evaluation() = evaluation;
  HEROQ_FAILPOINT(trial_before_commit);
  HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(trial_after_commit);
  return absl::OkStatus();
}

absl::Status CheckEvaluation(const JobRecord& job) {
  const std::optional<v1::EvaluationResult> evaluation = TotalEvaluation(job);
  return evaluation.has_value() ? CheckQuality(*evaluation, job.spec.quality_gate()) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> PublishStep(DriverSeams& seams, const JobRecord& job, JobWork& work) {
  if (!job.AllDone(TaskKind::kQuantize)) return false;
  if (job.phase < v1::QuantizationJob::PHASE_ASSEMBLING) {
    HEROQ_RETURN_IF_ERROR(CommitPhase(seams, job, v1::QuantizationJob::PHASE_ASSEMBLING, ""));
    return true;
  }
  const std::string& staging = work.staged->directory();
  if (!work.wrote_side_files) {
    HEROQ_RETURN_IF_ERROR(WriteSideFiles(seams.files, *job.plan, staging));
    work.wrote_side_files = true;
    return true;
  }
  if (job.phase < v1::QuantizationJob::PHASE_VALIDATING || job.staging_directory != staging) {
    HEROQ_RETURN_IF_ERROR(CommitPhase(seams, job, v1::QuantizationJob::PHASE_VALIDATING, staging));
    return true;
  }
  // Workers evaluate meanwhile.
  if (!work.validated) {
    HEROQ_RETURN_IF_ERROR(Validate(seams, job, staging));
    work.validated = true;
    HEROQ_FAILPOINT(validation_after);
    return true;
  }
  if (!job.AllDone(TaskKind::kEvaluate)) return false;
  if (job.on_trial()) {
    HEROQ_RETURN_IF_ERROR(FinishTrial(seams, job));
    return true;
  }
  HEROQ_RETURN_IF_ERROR(CheckEvaluation(job));
  HEROQ_RETURN_IF_ERROR(CheckPinnedFiles(seams.files, job.plan->model_directory(), job.plan->sources()));
  HEROQ_ASSIGN_OR_RETURN(
      const v1::JobResult result,
      WriteReportsAndManifest(seams.files, job, *work.staged, seams.options.version, seams.clock.Now()));
  HEROQ_RETURN_IF_ERROR(Publish(seams.files, staging, job.plan->output_directory()));
  HEROQ_RETURN_IF_ERROR(CommitSuccess(seams, job, result));
  return true;
}

bool IsPublished(FileSystem& files, const JobRecord& job) {
  return job.phase == v1::QuantizationJob::PHASE_VALIDATING && !job.plan->output_directory().empty() &&
         !files.Exists(job.staging_directory) && files.Exists(job.plan->output_directory());
}

absl::StatusOr<bool> RollForwardStep(DriverSeams& seams, const JobRecord& job) {
  if (!IsPublished(seams.files, job)) return false;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<v1::JobResult> result, PublishedResult(seams.files, job));
  if (!result.has_value()) return false;
  HEROQ_FAILPOINT(roll_forward_before_commit);
  HEROQ_RETURN_IF_ERROR(CommitSuccess(seams, job, *result));
  return true;
}

absl::StatusOr<bool> EvaluateOnlyStep(DriverSeams& seams, const JobRecord& job) {
  if (job.phase < v1::QuantizationJob::PHASE_VALIDATING) {
    HEROQ_ASSIGN_OR_RETURN(const std::string checkpoint,
                           ResolveLocation(seams.planner.roots(), job.spec.evaluate_checkpoint()));
    HEROQ_RETURN_IF_ERROR(CommitPhase(seams, job, v1::QuantizationJob::PHASE_VALIDATING, checkpoint));
    return true;
  }
  if (!job.AllDone(TaskKind::kEvaluate)) return false;
  HEROQ_RETURN_IF_ERROR(CheckEvaluation(job));
  HEROQ_RETURN_IF_ERROR(CheckPinnedFiles(seams.files, job.plan->model_directory(), job.plan->sources()));
  HEROQ_RETURN_IF_ERROR(CommitSuccess(seams, job, SummarizeResults(job)));
  return true;
}

}  // namespace heroq
