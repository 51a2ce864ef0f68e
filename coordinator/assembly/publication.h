#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file_system.h"
#include "coordinator/assembly/staged_checkpoint.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// Completes a staged checkpoint whose weights and side files are written: report/report.json,
// report/run.json, README.md, then MANIFEST.json with the hash of every other file as it was read back
// (weights: StagedCheckpoint::DigestsOf). VALIDATION_FAILED when a weight file is not what the journal
// recorded or a written file does not read back. Idempotent, durable. What the job will have given once this
// is published.
absl::StatusOr<v1::JobResult> WriteReportsAndManifest(FileSystem& files, const JobRecord& job,
                                                      const StagedCheckpoint& staged,
                                                      const std::string& heroq_version, absl::Time now);

// Renames the staged directory to the output, which must not exist, and makes that durable. An empty
// directory in its place, as a rename cut short leaves on file systems without RENAME_NOREPLACE, is replaced.
// OUTPUT_EXISTS.
absl::Status Publish(FileSystem& files, const std::string& staging, const std::string& output);

// The result of a job whose output directory is complete and its own: MANIFEST.json names the job's
// specification and numeric class and every hashed file verifies. nullopt when there is no such directory.
absl::StatusOr<std::optional<v1::JobResult>> PublishedResult(FileSystem& files, const JobRecord& job);

}  // namespace heroq
