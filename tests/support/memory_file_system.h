#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file/file_system.h"

namespace heroq {

// Files in memory, with the behaviour of the POSIX file system that FileSystem promises; no links or
// permissions. "/" exists; relative paths start there. Times count writes and renames, so they are the same
// in every run. Thread-safe.
class MemoryFileSystem final : public FileSystem {
 public:
  // Called before every operation with its name ("open", "create", "read", "write", "sync", "close", "stat",
  // "list", "access", "mkdir", "rename", "remove", "sync directory") and path; an error is returned in place
  // of the operation. Called without locks.
  using Fault = std::function<absl::Status(absl::string_view operation, const std::string& path)>;
  void SetFault(Fault fault);
  // That RandomAccessFile::WillRead named, of all files.
  int64_t announced_bytes();

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForUpdate(const std::string& path) override;
  absl::StatusOr<FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::Status CheckWritable(const std::string& directory) override;
  absl::Status CreateDirectories(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status RenameNoReplace(const std::string& from, const std::string& to) override;
  absl::Status RemoveFile(const std::string& path) override;
  absl::Status RemoveTree(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;

 private:
  friend class MemoryRandomAccessFile;
  friend class MemoryWritableFile;

  struct File {
    std::string data;
    int64_t modify_time_nanos = 0;
    int64_t change_time_nanos = 0;
    int64_t inode = 0;
  };

  absl::Status CheckFault(absl::string_view operation, const std::string& path);
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path, bool truncate);
  absl::Status RenameLocked(const std::string& from, const std::string& to)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ExistsLocked(const std::string& path) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool IsEmptyLocked(const std::string& directory) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void MarkWrittenLocked(File& file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  FileInfo InfoLocked(const File& file) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_);
  // Open files keep theirs when a name is removed.
  std::map<std::string, std::shared_ptr<File>> files_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> directories_ ABSL_GUARDED_BY(mutex_) = {"/"};
  int64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t inodes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t announced_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace heroq
