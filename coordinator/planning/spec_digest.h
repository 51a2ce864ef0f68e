#pragma once

#include <string>

#include "heroq/v1/job.pb.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// One "key=value" line per fact that decides the bytes a job publishes: the source's files by name, size and
// digest, tokens, resolved settings, one scheme per linear, file split. No paths, ids, times, priorities or
// worker counts: equal texts mean equal bytes within one numeric class and version. `plan` has its token
// blobs. Pure.
std::string CanonicalSpecText(const v1::JobSpec& resolved_spec, const v1::Plan& plan);

// SHA-256 of CanonicalSpecText, lower-case hex.
std::string SpecDigest(const v1::JobSpec& resolved_spec, const v1::Plan& plan);

}  // namespace heroq
