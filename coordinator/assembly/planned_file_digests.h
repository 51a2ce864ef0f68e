#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

struct PlannedFileDigests {
  FileInfo info;  // before it was read
  Digest whole;
  // Every tensor with the SHA-256 of its bytes, by place in the file. The tensors are those of the plan.
  std::vector<std::pair<const v1::PlannedTensor*, std::string>> tensors;
};

// Reads a weight file back as it lies at `path`. VALIDATION_FAILED when it ends before a
// tensor begins, IO_ERROR. Blocking.
absl::StatusOr<PlannedFileDigests> DigestPlannedFile(FileSystem& files, const std::string& path,
                                                     const v1::PlannedFile& planned);

}  // namespace heroq
