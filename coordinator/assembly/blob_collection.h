#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/blob/directory_blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/state/job_record.h"

namespace heroq {

// Removes the blobs that `job` refers to and no running job, itself included, still needs: of a running job
// its used statistics and hidden states, of an ended one everything. Unit results count as needed until their
// job ends, since a damaged weight file is written again from them. `dropped`, by SHA-256, is what earlier
// calls have removed and nothing has needed since: it is not looked for again.
absl::Status DropUnneededBlobs(const CoordinatorState& state, const JobRecord& job, DirectoryBlobStore& blobs,
                               std::set<std::string>& dropped);

// Removes blobs older than `age` that no job refers to (with `keep_ended`, ended ones count), such as uploads
// of attempts that were lost.
absl::Status SweepBlobs(const CoordinatorState& state, FileSystem& files, DirectoryBlobStore& blobs,
                        absl::Time now, absl::Duration age, bool keep_ended);

}  // namespace heroq
