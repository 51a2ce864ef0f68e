#pragma once

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "coordinator/state/coordinator_store.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// Results whose blobs are gone: dropped by a power cut, removed, or damaged on disk. The tasks that made them
// run again (BlobsLost). Blocking; thread-safe.

// Commits BlobsLost for the tasks of `job` whose needed results `blobs` lacks. Whether there were any.
absl::StatusOr<bool> RerunLostTasks(CoordinatorStore& store, BlobStore& blobs, const JobRecord& job);

// What a failure reported for the lease of `token` counts as. FAILURE_KIND_INPUT_LOST stays only if a result
// that its tasks read is gone, damaged or being made again; the tasks that make it are then about to run.
// Otherwise it is FAILURE_KIND_INTERNAL, so that a worker that does not see what is there cannot fail for
// ever, and FAILURE_KIND_STORAGE if the store cannot be read. Other kinds stay as they are. Reads every blob
// those tasks read.
v1::FailureKind RecoverInputs(CoordinatorStore& store, BlobStore& blobs, const v1::LeaseToken& token,
                              v1::FailureKind reported);

}  // namespace heroq
