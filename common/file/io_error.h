#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace heroq {

// IO_ERROR for a failed system call: "open /a/b: No such file or directory". The code says what a caller may
// do: NotFound (ENOENT, ENOTDIR), AlreadyExists (EEXIST, ENOTEMPTY), PermissionDenied (EACCES, EPERM, EROFS),
// ResourceExhausted (ENOSPC, EDQUOT, EMFILE, ENFILE), Unavailable for every other `error_number`.
absl::Status IoError(int error_number, absl::string_view operation, absl::string_view path);

// Whether an error is of storage that is full or fails: an IO_ERROR which may pass without anybody changing
// the job, unlike one over a path that does not exist or may not be used.
bool IsStorageTrouble(const absl::Status& error);

}  // namespace heroq
