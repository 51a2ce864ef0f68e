#pragma once

#include "absl/status/status.h"
#include "heroq/v1/scheduling.pb.h"

namespace heroq {

// How an attempt's error counts: what no retry can change (wrong input, numerics, what this build lacks) ends
// the job, memory has its own budget, lost blobs are made again, and everything else is tried again. Pure.
v1::FailureKind FailureKindOf(const absl::Status& error);

}  // namespace heroq
