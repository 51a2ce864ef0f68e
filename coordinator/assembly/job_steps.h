#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/blob/directory_blob_store.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/assembly/job_driver.h"
#include "coordinator/assembly/staged_checkpoint.h"
#include "coordinator/planning/planner.h"
#include "coordinator/state/coordinator_store.h"

namespace heroq {

// What the driver's steps work with; nothing is owned.
struct DriverSeams {
  CoordinatorStore& store;
  Planner& planner;
  FileSystem& files;
  DirectoryBlobStore& blobs;
  Clock& clock;
  const JobDriverOptions& options;
};

// What the driver remembers of a job between steps. Lost with the process; the first steps after it make it
// again.
struct JobWork {
  std::unique_ptr<StagedCheckpoint> staged;
  bool checked_blobs = false;
  bool wrote_side_files = false;
  bool validated = false;
  bool cleaned = false;
  int collected_at = 0;           // finished tasks when blobs were last dropped
  std::set<std::string> dropped;  // of DropUnneededBlobs
};

// Each step does at most one piece of work that ends in a commit or a finished file, and returns whether it
// did any: then the job is looked at again in its new state. An error fails the job, unless it is storage
// trouble (IsStorageTrouble) of a running one. Blocking; called on the
// driver's thread only.

// QUEUED: makes the plan.
absl::StatusOr<bool> PlanStep(DriverSeams& seams, const JobRecord& job);
// RUNNING: brings back lost results, writes finished units and files, drops used blobs.
absl::StatusOr<bool> AssembleStep(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job,
                                  JobWork& work);
// RUNNING with its staging directory gone: ends the job when a crash came after its publication.
absl::StatusOr<bool> RollForwardStep(DriverSeams& seams, const JobRecord& job);
// Whether the output of a RUNNING job is in its place although its publication did not get to the job's end:
// such a job cannot fail any more, it is rolled forward.
bool IsPublished(FileSystem& files, const JobRecord& job);
// RUNNING with every weight file finished: side files, validation, reports, publication, the job's end.
absl::StatusOr<bool> PublishStep(DriverSeams& seams, const JobRecord& job, JobWork& work);
// RUNNING without an output: evaluates an existing checkpoint.
absl::StatusOr<bool> EvaluateOnlyStep(DriverSeams& seams, const JobRecord& job);
// CANCELLING: removes what was staged, ends the job.
absl::StatusOr<bool> CancelStep(DriverSeams& seams, const JobRecord& job, JobWork& work);
// After the end, whoever ended it: removes staging directories and blobs.
absl::Status CleanUp(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job, JobWork& work);

// Reason (INTERNAL when it has none) and message of an error.
v1::JobFailure FailureOf(const absl::Status& error);
// Commits JobEnded FAILED with the reason and message of `error`.
absl::Status FailJob(DriverSeams& seams, const JobRecord& job, const absl::Status& error);

// Finished tasks of `job`.
int DoneTasks(const JobRecord& job);

}  // namespace heroq
