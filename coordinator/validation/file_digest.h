#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/blob/blob_store.h"
#include "common/file/file_system.h"

namespace heroq {

// SHA-256 and size of a file as it is now. Reads it in chunks. Blocking.
absl::StatusOr<Digest> DigestOfFile(FileSystem& files, const std::string& path);

struct DigestWithParts {
  FileInfo info;  // before it was read
  Digest whole;
  std::vector<std::string>
      parts;  // SHA-256 of bytes [begins[i], begins[i + 1]), the last one to the end of the file
};

// The same with a digest for each part; `begins` ascends, bytes before the first belong to none. Parts that
// would begin past the end of the file are left out. Where there are parts, two threads read a file that is
// not small at the same time, one for the whole and one for the parts.
absl::StatusOr<DigestWithParts> DigestOfFileAndParts(FileSystem& files, const std::string& path,
                                                     const std::vector<int64_t>& begins);

}  // namespace heroq
