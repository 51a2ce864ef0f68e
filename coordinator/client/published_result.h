#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/file/file_system.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// OK when the directory `output` is what the local job `spec` publishes: its MANIFEST.json names the digest
// of this specification (which covers the model's headers and the tokens of the texts) and files of these
// sizes. OUTPUT_EXISTS says why not; other errors when that cannot be found out. Blocking: tokenizes the
// texts again.
absl::Status CheckPublished(FileSystem& files, const std::string& output, const v1::JobSpec& spec);

}  // namespace heroq
