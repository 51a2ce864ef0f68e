#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/file/file_descriptor.h"

namespace heroq {

// An exclusive advisory lock (flock) on a file, held until destroyed. Child processes inherit it: it is free
// only when the process and every child it started meanwhile are gone, however they ended. Thread-compatible.
class FileLock {
 public:
  // Creates the file if there is none. Does not wait: kUnavailable when somebody else holds the lock.
  // IO_ERROR names the path for everything else.
  static absl::StatusOr<std::unique_ptr<FileLock>> TryAcquire(const std::string& path);

  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}

 private:
  FileDescriptor file_;
};

}  // namespace heroq
