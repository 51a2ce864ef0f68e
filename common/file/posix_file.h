#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"

namespace heroq {

FileInfo ToFileInfo(const struct stat& status);

// A regular file for pread; anything else (directory, FIFO, device) is refused without blocking on it.
absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenPosixForRead(const std::string& path);

// A regular file for pwrite, opened with `flags` (O_CREAT, O_TRUNC) besides O_WRONLY; created with mode 0644
// under the process's umask.
absl::StatusOr<std::unique_ptr<WritableFile>> OpenPosixForWrite(const std::string& path, int flags);

}  // namespace heroq
