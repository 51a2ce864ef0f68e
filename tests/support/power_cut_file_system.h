#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/file/file_system.h"
#include "tests/support/power_cut_disk.h"

namespace heroq {

// The FileSystem of a process on a PowerCutDisk. Thread-safe, except for SetHook.
class PowerCutFileSystem final : public FileSystem {
 public:
  // Called before every operation that changes the disk or makes changes durable, with its name ("create",
  // "write", "truncate", "sync", "mkdir", "rename", "remove", "sync directory") and path; an error is
  // returned in place of the operation.
  using Hook = std::function<absl::Status(absl::string_view operation, const std::string& path)>;

  explicit PowerCutFileSystem(std::unique_ptr<PowerCutDisk> disk) : disk_(std::move(disk)) {}

  // While no other thread uses this.
  void SetHook(Hook hook) { hook_ = std::move(hook); }
  absl::Status Before(absl::string_view operation, const std::string& path);
  // While frozen, every such operation fails without a call of the hook: the process has ended.
  void SetFrozen(bool frozen) { frozen_ = frozen; }
  PowerCutDisk& disk() { return *disk_; }

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
  const std::unique_ptr<PowerCutDisk> disk_;
  Hook hook_;
  std::atomic<bool> frozen_ = false;
};

}  // namespace heroq
