#include "coordinator/state/lost_results.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/blob/digest_proto.h"
#include "common/file/failpoint.h"
#include "common/file/io_error.h"
#include "common/log/log.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/state/blob_use.h"

namespace heroq {
namespace {

bool IsMadeAgain(const JobRecord& job, int task) {
  for (int dependency : job.graph->nodes()[task].dependencies) {
    if (job.tasks[dependency].state != TaskState::kDone) return true;
  }
  return false;
}

// Whether `blobs` does not hold, byte for byte, what `task` reads.
absl::StatusOr<bool> LacksInput(BlobStore& blobs, const JobRecord& job, int task) {
  bool lacks = false;
  for (const v1::BlobDigest& input : InputBlobs(job, task)) {
    // Damaged bytes are moved out of the way when they are read; afterwards they are missing.
    const absl::Status read = blobs.Get(DigestFromProto(input)).status();
    if (HasReason(read, Reason::kBlobMissing) || HasReason(read, Reason::kBlobCorrupt)) {
      lacks = true;
    } else {
      HEROQ_RETURN_IF_ERROR(read);
    }
  }
  return lacks;
}

// Whether the tasks of the lease lack an input; if so, what makes it is about to run.
absl::StatusOr<bool> RerunLostInputs(CoordinatorStore& store, BlobStore& blobs, const v1::LeaseToken& token) {
  const std::shared_ptr<const JobRecord> job = store.Snapshot()->FindJob(token.job_id());
  if (job == nullptr) return false;
  const auto lease = job->leases.find(token.lease_id());
  if (lease == job->leases.end()) return false;
  bool lost = false;
  for (int task : lease->second.tasks) {
    HEROQ_ASSIGN_OR_RETURN(const bool lacks, LacksInput(blobs, *job, task));
    lost |= lacks || IsMadeAgain(*job, task);
  }
  if (lost) HEROQ_RETURN_IF_ERROR(RerunLostTasks(store, blobs, *job).status());
  return lost;
}

}  // namespace

absl::StatusOr<bool> RerunLostTasks(CoordinatorStore& store, BlobStore& blobs, const JobRecord& job) {
  absl::Status failure;
  const std::vector<std::string> lost = LostTasks(job, [&](const v1::BlobDigest& digest) {
    const absl::StatusOr<bool> present = blobs.Contains(DigestFromProto(digest));
    if (!present.ok()) failure = present.status();
    return !present.ok() || *present;
  });
  HEROQ_RETURN_IF_ERROR(failure);
  if (lost.empty()) return false;
  v1::Update update;
  update.mutable_blobs_lost()->set_job_id(job.job_id);
  for (const std::string& id : lost) update.mutable_blobs_lost()->add_task_ids(id);
  HEROQ_FAILPOINT(blobs_lost_before_commit);
  HEROQ_RETURN_IF_ERROR(store.CommitAndWait(std::move(update)));
  HEROQ_FAILPOINT(blobs_lost_after_commit);
  return true;
}

v1::FailureKind RecoverInputs(CoordinatorStore& store, BlobStore& blobs, const v1::LeaseToken& token,
                              v1::FailureKind reported) {
  if (reported != v1::FAILURE_KIND_INPUT_LOST) return reported;
  const absl::StatusOr<bool> lost = RerunLostInputs(store, blobs, token);
  if (lost.ok()) return *lost ? reported : v1::FAILURE_KIND_INTERNAL;
  Log(LogLevel::kWarning, "cannot bring back what a task has lost",
      {{"job", token.job_id()},
       {"lease", token.lease_id()},
       {"error", std::string(lost.status().message())}});
  return IsStorageTrouble(lost.status()) ? v1::FAILURE_KIND_STORAGE : v1::FAILURE_KIND_INTERNAL;
}

}  // namespace heroq
