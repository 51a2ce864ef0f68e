#include "common/file/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/io_error.h"

namespace heroq {

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::TryAcquire(const std::string& path) {
  for (;;) {
    // Not O_CLOEXEC: children keep the lock.
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT, 0644));
    if (!file.is_open()) return IoError(errno, "open", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(path, " is locked"));
      return IoError(errno, "lock", path);
    }
    // The last holder may have removed the file between open and lock; then this lock protects nothing.
    struct stat locked {
    }, named{};
    if (::fstat(file.get(), &locked) != 0) return IoError(errno, "stat", path);
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev) {
      return std::make_unique<FileLock>(std::move(file));
    }
  }
}

}  // namespace heroq
