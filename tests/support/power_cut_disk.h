#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/file/file_system.h"

namespace heroq {

// A file or a directory of a PowerCutDisk: what readers see, what a power cut leaves for certain, and the
// changes in between.
struct DiskNode {
  struct Change {
    int64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };

  bool is_directory = false;
  int64_t inode = 0;
  int64_t modify_time_nanos = 0;
  int64_t change_time_nanos = 0;
  std::string data;
  std::string durable;
  std::vector<Change> unsynced;
  std::map<std::string, std::shared_ptr<DiskNode>> entries;
  std::map<std::string, std::shared_ptr<DiskNode>> durable_entries;
};

// A disk in memory that keeps only what was synced. A sync of a file makes its bytes durable, a sync of a
// directory the creations, renames and removals in it; a file whose bytes are durable may still have no name.
// A rename happens wholly or not at all; everything else that is not synced is independent. Paths begin with
// '/'; there are no links and no permissions. Thread-safe.
class PowerCutDisk {
 public:
  using NodePtr = std::shared_ptr<DiskNode>;

  PowerCutDisk();

  // A file; IO_ERROR as POSIX has it.
  absl::StatusOr<NodePtr> Open(const std::string& path, bool create, bool truncate);
  // Up to `size` bytes; fewer at the end of the file.
  std::string Read(const DiskNode& file, int64_t offset, int64_t size);
  FileInfo Info(const DiskNode& node);
  void Write(DiskNode& file, int64_t offset, absl::string_view bytes);
  void Append(DiskNode& file, absl::string_view bytes);
  void Truncate(DiskNode& file, int64_t size);
  void Sync(DiskNode& file);

  absl::StatusOr<FileInfo> Stat(const std::string& path);
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory);
  absl::Status CreateDirectories(const std::string& path);
  absl::Status Rename(const std::string& from, const std::string& to, bool replace);
  absl::Status RemoveFile(const std::string& path);
  absl::Status RemoveTree(const std::string& path);
  absl::Status SyncDirectory(const std::string& path);

  // Makes everything durable.
  void SyncAll();
  // The disk after a power cut now: one of the states it may be found in, chosen by `seed`. Of every change
  // that was not synced it holds nothing, all, or, of a write, some sectors of 512 bytes. Seeds divisible by
  // 4 lose every such change, and those after them lose none.
  std::unique_ptr<PowerCutDisk> AfterPowerCut(uint64_t seed);

 private:
  struct EntryChange {
    NodePtr directory;
    std::string name;
    NodePtr node;  // null: the name goes
  };
  using Operation = std::vector<EntryChange>;
  using EntryKey = std::pair<const DiskNode*, std::string>;
  class Image;

  NodePtr FindLocked(const std::string& path) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  NodePtr NewNodeLocked(bool is_directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MarkWrittenLocked(DiskNode& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyLocked(Operation operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveBelowLocked(const NodePtr& directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeDurableLocked(std::size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  NodePtr root_ ABSL_GUARDED_BY(mutex_);
  std::vector<Operation> unsynced_ ABSL_GUARDED_BY(mutex_);
  int64_t inodes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace heroq
