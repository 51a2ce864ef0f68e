#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "coordinator/state/job_record.h"
#include "heroq/v1/blob.pb.h"

namespace heroq {

// Which blobs of a job still matter. Pure, apart from `present`; times grow with the number of tasks.

// By SHA-256: what an unfinished task reads (hidden states, statistics, units), the units of files that are
// not written yet, and until the job has ended its tokens. Nothing once it has.
std::map<std::string, v1::BlobDigest> NeededBlobs(const JobRecord& job);

// Every blob the job's results and plan name, needed or not, by SHA-256. Blobs are shared by content: one
// that this job no longer needs may be needed by another.
std::map<std::string, v1::BlobDigest> ReferencedBlobs(const JobRecord& job);

// What `task` reads, as far as the tasks that make it are done.
std::vector<v1::BlobDigest> InputBlobs(const JobRecord& job, int task);

// The finished tasks that must run again because a needed blob is gone, for BlobsLost: from the unfinished
// tasks back to results that are there, hence also tasks whose outputs had been dropped on purpose when they
// seemed used up. In the graph's order; empty when nothing is missing. `present` is asked about needed blobs
// only.
std::vector<std::string> LostTasks(const JobRecord& job,
                                   const std::function<bool(const v1::BlobDigest&)>& present);

}  // namespace heroq
