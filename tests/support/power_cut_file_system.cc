#include "tests/support/power_cut_file_system.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

class PowerCutReader final : public RandomAccessFile {
 public:
  PowerCutReader(PowerCutDisk& disk, PowerCutDisk::NodePtr node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}

  absl::Status ReadAt(int64_t offset, int64_t size, void* buffer) const override {
    const std::string bytes = disk_.Read(*node_, offset, size);
    if (static_cast<int64_t>(bytes.size()) < size) {
      return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": file ends before ", offset + size));
    }
    std::memcpy(buffer, bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::StatusOr<FileInfo> Stat() const override { return disk_.Info(*node_); }
  const std::string& path() const override { return path_; }

 private:
  PowerCutDisk& disk_;
  const PowerCutDisk::NodePtr node_;
  const std::string path_;
};

class PowerCutWriter final : public WritableFile {
 public:
  PowerCutWriter(PowerCutFileSystem& files, PowerCutDisk::NodePtr node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  absl::Status Append(absl::string_view data) override {
    HEROQ_RETURN_IF_ERROR(files_.Before("write", path_));
    files_.disk().Append(*node_, data);
    return absl::OkStatus();
  }
  absl::Status WriteAt(int64_t offset, absl::string_view data) override {
    HEROQ_RETURN_IF_ERROR(files_.Before("write", path_));
    files_.disk().Write(*node_, offset, data);
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    HEROQ_RETURN_IF_ERROR(files_.Before("sync", path_));
    files_.disk().Sync(*node_);
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  PowerCutFileSystem& files_;
  const PowerCutDisk::NodePtr node_;
  const std::string path_;
};

}  // namespace

absl::Status PowerCutFileSystem::Before(absl::string_view operation, const std::string& path) {
  if (frozen_) return IoError(EIO, operation, path);
  return hook_ ? hook_(operation, path) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> PowerCutFileSystem::OpenForRead(const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(PowerCutDisk::NodePtr node, disk_->Open(path, /*create=*/false, /*truncate=*/false));
  return std::make_unique<PowerCutReader>(*disk_, std::move(node), path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PowerCutFileSystem::Create(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("create", path));
  HEROQ_ASSIGN_OR_RETURN(PowerCutDisk::NodePtr node, disk_->Open(path, /*create=*/true, /*truncate=*/true));
  return std::make_unique<PowerCutWriter>(*this, std::move(node), path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PowerCutFileSystem::OpenForUpdate(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("create", path));
  HEROQ_ASSIGN_OR_RETURN(PowerCutDisk::NodePtr node, disk_->Open(path, /*create=*/true, /*truncate=*/false));
  return std::make_unique<PowerCutWriter>(*this, std::move(node), path);
}

absl::StatusOr<FileInfo> PowerCutFileSystem::Stat(const std::string& path) { return disk_->Stat(path); }

absl::StatusOr<std::vector<std::string>> PowerCutFileSystem::List(const std::string& directory) {
  return disk_->List(directory);
}

absl::Status PowerCutFileSystem::CheckWritable(const std::string& directory) {
  return disk_->List(directory).status();
}

absl::Status PowerCutFileSystem::CreateDirectories(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("mkdir", path));
  return disk_->CreateDirectories(path);
}

absl::Status PowerCutFileSystem::Rename(const std::string& from, const std::string& to) {
  HEROQ_RETURN_IF_ERROR(Before("rename", to));
  return disk_->Rename(from, to, /*replace=*/true);
}

absl::Status PowerCutFileSystem::RenameNoReplace(const std::string& from, const std::string& to) {
  HEROQ_RETURN_IF_ERROR(Before("rename", to));
  return disk_->Rename(from, to, /*replace=*/false);
}

absl::Status PowerCutFileSystem::RemoveFile(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("remove", path));
  return disk_->RemoveFile(path);
}

absl::Status PowerCutFileSystem::RemoveTree(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("remove", path));
  return disk_->RemoveTree(path);
}

absl::Status PowerCutFileSystem::SyncDirectory(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(Before("sync directory", path));
  return disk_->SyncDirectory(path);
}

}  // namespace heroq
