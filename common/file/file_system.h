#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

struct FileInfo {
  int64_t size = 0;
  int64_t modify_time_nanos = 0;
  // Of contents, name or attributes. Unlike the modification time, nobody can set it.
  int64_t change_time_nanos = 0;
  int64_t inode = 0;
  bool is_directory = false;
  bool is_regular = false;

  bool operator==(const FileInfo&) const = default;
};

// An open file for reads at any offset. Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Exactly `size` bytes at `offset` into `buffer`; a shorter file is FILE_CORRUPT.
  virtual absl::Status ReadAt(int64_t offset, int64_t size, void* buffer) const = 0;
  // Says that these bytes will be read soon. What is slow to read may be fetched meanwhile; does not block.
  virtual void WillRead(int64_t /*offset*/, int64_t /*size*/) const {}
  virtual absl::StatusOr<FileInfo> Stat() const = 0;
  virtual const std::string& path() const = 0;
};

// An open file for writes. Thread-compatible. The destructor closes without syncing.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // At the end of the file.
  virtual absl::Status Append(absl::string_view data) = 0;
  // Writes at an offset, also past the end.
  virtual absl::Status WriteAt(int64_t offset, absl::string_view data) = 0;
  // Returns when the bytes are on stable storage.
  virtual absl::Status Sync() = 0;
  // Reports errors the destructor would drop.
  virtual absl::Status Close() = 0;
};

// The seam for everything that touches files: real, in-memory, or failing on purpose. Thread-safe. Errors
// name the path; not found is MODEL_NOT_FOUND only where a caller says so: here it is absl::NotFoundError
// with reason IO_ERROR. Only regular files are opened: a directory, FIFO or device is an error. Blocking.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) = 0;
  // Creates (mode 0644 under the process's umask) or truncates.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  // Opens an existing file for WriteAt without truncating, or creates it.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForUpdate(const std::string& path) = 0;
  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // Names (not paths) in a directory, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // OK when `directory` is one in which this process may make and remove names.
  virtual absl::Status CheckWritable(const std::string& directory) = 0;
  // With parents; existing directories are fine.
  virtual absl::Status CreateDirectories(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // ALREADY_EXISTS when `to` exists. Where the file system lacks RENAME_NOREPLACE: creates an empty directory
  // and renames over it (directories), or links and unlinks (files).
  virtual absl::Status RenameNoReplace(const std::string& from, const std::string& to) = 0;
  virtual absl::Status RemoveFile(const std::string& path) = 0;
  // Removing what does not exist is OK.
  virtual absl::Status RemoveTree(const std::string& path) = 0;
  // fsync of the directory: renames and creations in it become durable.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;

  bool Exists(const std::string& path) { return Stat(path).ok(); }

  // The real one; never destroyed.
  static FileSystem& Posix();
};

// The whole file; larger than `limit` bytes is FILE_CORRUPT.
absl::StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path,
                                     int64_t limit = int64_t{1} << 30);

// `path` holds the old or the new bytes, never a mix: temporary name in the same directory, sync, rename,
// sync directory.
absl::Status WriteFileAtomically(FileSystem& files, const std::string& path, absl::string_view data);

// CreateDirectories that a power cut does not undo: the parents of `path` and of every directory made on the
// way are synced.
absl::Status CreateDirectoriesDurably(FileSystem& files, const std::string& path);

// "a/b" + "c" -> "a/b/c"; an absolute second part wins.
std::string JoinPath(absl::string_view a, absl::string_view b);
// "a/b/c" -> "a/b"; "c" -> ".".
std::string DirectoryOf(absl::string_view path);
// "a/b/c" -> "c".
std::string BaseName(absl::string_view path);

}  // namespace heroq
