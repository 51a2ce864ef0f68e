#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/file/failpoint.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/assembly/blob_collection.h"
#include "coordinator/assembly/job_steps.h"
#include "coordinator/assembly/result_reader.h"
#include "coordinator/assembly/staging.h"
#include "coordinator/state/lost_results.h"

namespace heroq {
namespace {

absl::Status OpenStaged(DriverSeams& seams, const JobRecord& job, JobWork& work) {
  const std::string& output = job.plan->output_directory();
  const std::string id = StagingId(job.job_id, job.trial);
  // Evaluation tasks read the directory the journal names; it stays where it is across restarts.
  const bool keep = !job.staging_directory.empty() && seams.files.Exists(job.staging_directory);
  const std::string staging = keep ? job.staging_directory : StagingPath(output, id, seams.store.epoch());
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> finished,
                         AdoptStaged(seams.files, output, id, staging, job.files));
  HEROQ_ASSIGN_OR_RETURN(work.staged, StagedCheckpoint::Open(seams.files, job.plan, staging, finished));
  return absl::OkStatus();
}

const v1::BlobDigest* UnitBlob(const TaskRecord& task) {
  for (const v1::NamedBlob& output : task.result->outputs()) {
    if (output.name() == "unit") return &output.digest();
  }
  return nullptr;
}

// Writes the first finished unit that a file waits for.
absl::StatusOr<bool> WriteNextUnit(DriverSeams& seams, const JobRecord& job, JobWork& work) {
  for (size_t i = 0; i < job.tasks.size(); ++i) {
    const TaskNode& node = job.graph->nodes()[i];
    if (node.kind != TaskKind::kQuantize || job.tasks[i].state != TaskState::kDone ||
        !work.staged->Needs(node.unit)) {
      continue;
    }
    const v1::BlobDigest* digest = UnitBlob(job.tasks[i]);
    if (digest == nullptr)
      return MakeError(Reason::kInternal, absl::StrCat("task ", node.id, " has no unit result"));
    const absl::StatusOr<std::string> bytes = seams.blobs.Get(DigestFromProto(*digest));
    if (HasReason(bytes.status(), Reason::kBlobMissing) || HasReason(bytes.status(), Reason::kBlobCorrupt)) {
      HEROQ_ASSIGN_OR_RETURN(const bool again, RerunLostTasks(seams.store, seams.blobs, job));
      if (again) return true;
    }
    HEROQ_RETURN_IF_ERROR(bytes.status());
    absl::StatusOr<UnitResult> result = ReadUnitBlob(*bytes, job.plan->units(node.unit));
    if (!result.ok()) return Annotate(result.status(), absl::StrCat("task ", node.id));
    HEROQ_RETURN_IF_ERROR(work.staged->AddUnit(node.unit, *std::move(result)));
    return true;
  }
  return false;
}

// A look at all blobs takes time that grows with the tasks: a job has so many, however large it is.
constexpr int kCollections = 256;

absl::Status DropBlobs(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job,
                       JobWork& work) {
  const int done = DoneTasks(job);
  // Tasks that run again store again what had been dropped.
  if (done < work.collected_at) work.dropped.clear();
  const int tasks = static_cast<int>(job.tasks.size());
  if (done >= work.collected_at && (done - work.collected_at) * kCollections < tasks) return absl::OkStatus();
  work.collected_at = done;
  return DropUnneededBlobs(state, job, seams.blobs, work.dropped);
}

}  // namespace

int DoneTasks(const JobRecord& job) {
  int done = 0;
  for (const TaskRecord& task : job.tasks) done += task.state == TaskState::kDone;
  return done;
}

absl::StatusOr<bool> AssembleStep(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job,
                                  JobWork& work) {
  if (!work.checked_blobs) {
    work.checked_blobs = true;
    HEROQ_ASSIGN_OR_RETURN(const bool lost, RerunLostTasks(seams.store, seams.blobs, job));
    if (lost) return true;
  }
  if (work.staged == nullptr) {
    HEROQ_RETURN_IF_ERROR(OpenStaged(seams, job, work));
    return true;
  }
  HEROQ_ASSIGN_OR_RETURN(const bool wrote, WriteNextUnit(seams, job, work));
  if (wrote) return true;
  HEROQ_ASSIGN_OR_RETURN(std::optional<v1::FileAssembled> finished, work.staged->FinishFile());
  if (finished.has_value()) {
    finished->set_job_id(job.job_id);
    v1::Update update;
    *update.mutable_file_assembled() = *std::move(finished);
    HEROQ_FAILPOINT(shard_before_record);
    HEROQ_RETURN_IF_ERROR(seams.store.CommitAndWait(std::move(update)));
    HEROQ_FAILPOINT(shard_after_record);
    return true;
  }
  HEROQ_RETURN_IF_ERROR(DropBlobs(seams, state, job, work));
  return false;
}

}  // namespace heroq
