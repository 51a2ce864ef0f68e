#include "common/file/posix_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/file_descriptor.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

// Linux moves at most 2 GiB - 4 KiB a call.
constexpr int64_t kMaxTransfer = int64_t{1} << 30;

int64_t Nanos(const struct timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

absl::StatusOr<FileInfo> StatDescriptor(const FileDescriptor& descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return IoError(errno, "stat", path);
  return ToFileInfo(status);
}

// O_NONBLOCK so that opening a FIFO returns and can be refused; it has no effect on regular files.
absl::StatusOr<FileDescriptor> OpenRegular(const std::string& path, int flags) {
  FileDescriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0644));
  if (!descriptor.is_open()) return IoError(errno, "open", path);
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, StatDescriptor(descriptor, path));
  if (info.is_directory) return IoError(EISDIR, "open", path);
  if (!info.is_regular) return MakeError(Reason::kIo, absl::StrCat("open ", path, ": not a regular file"));
  return descriptor;
}

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(FileDescriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  absl::Status ReadAt(int64_t offset, int64_t size, void* buffer) const override {
    char* out = static_cast<char*>(buffer);
    int64_t done = 0;
    while (done < size) {
      const ssize_t count =
          ::pread(descriptor_.get(), out + done, std::min(size - done, kMaxTransfer), offset + done);
      if (count < 0) {
        if (errno == EINTR) continue;
        return IoError(errno, "read", path_);
      }
      if (count == 0) {
        return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": file ends at ", offset + done,
                                                            ", expected ", size, " bytes at ", offset));
      }
      done += count;
    }
    return absl::OkStatus();
  }
  void WillRead(int64_t offset, int64_t size) const override {
    // A hint: where the kernel does not take it, reading is only slower.
    ::posix_fadvise(descriptor_.get(), offset, size, POSIX_FADV_WILLNEED);
  }
  absl::StatusOr<FileInfo> Stat() const override { return StatDescriptor(descriptor_, path_); }
  const std::string& path() const override { return path_; }

 private:
  const FileDescriptor descriptor_;
  const std::string path_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor descriptor, std::string path, int64_t size)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), size_(size) {}

  absl::Status Append(absl::string_view data) override { return WriteAt(size_, data); }

  absl::Status WriteAt(int64_t offset, absl::string_view data) override {
    int64_t done = 0;
    const int64_t size = static_cast<int64_t>(data.size());
    while (done < size) {
      const ssize_t count =
          ::pwrite(descriptor_.get(), data.data() + done, std::min(size - done, kMaxTransfer), offset + done);
      if (count < 0) {
        if (errno == EINTR) continue;
        return IoError(errno, "write", path_);
      }
      done += count;
    }
    size_ = std::max(size_, offset + size);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (::fsync(descriptor_.get()) != 0) return IoError(errno, "sync", path_);
    return absl::OkStatus();
  }

  absl::Status Close() override {
    if (descriptor_.is_open() && ::close(descriptor_.Release()) != 0) return IoError(errno, "close", path_);
    return absl::OkStatus();
  }

 private:
  FileDescriptor descriptor_;
  const std::string path_;
  int64_t size_;
};

}  // namespace

FileInfo ToFileInfo(const struct stat& status) {
  FileInfo info;
  info.size = status.st_size;
  info.modify_time_nanos = Nanos(status.st_mtim);
  info.change_time_nanos = Nanos(status.st_ctim);
  info.inode = static_cast<int64_t>(status.st_ino);
  info.is_directory = S_ISDIR(status.st_mode);
  info.is_regular = S_ISREG(status.st_mode);
  return info;
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenPosixForRead(const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(FileDescriptor descriptor, OpenRegular(path, O_RDONLY));
  return std::make_unique<PosixRandomAccessFile>(std::move(descriptor), path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> OpenPosixForWrite(const std::string& path, int flags) {
  HEROQ_ASSIGN_OR_RETURN(FileDescriptor descriptor, OpenRegular(path, O_WRONLY | flags));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, StatDescriptor(descriptor, path));
  return std::make_unique<PosixWritableFile>(std::move(descriptor), path, info.size);
}

}  // namespace heroq
