#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

std::string Normalize(const std::string& path) {
  std::string normal = (std::filesystem::path("/") / path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

// What every path below `directory` begins with.
std::string Prefix(const std::string& directory) { return directory == "/" ? "/" : directory + "/"; }

}  // namespace

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  MemoryRandomAccessFile(MemoryFileSystem& files, std::shared_ptr<MemoryFileSystem::File> file,
                         std::string path)
      : files_(files), file_(std::move(file)), path_(std::move(path)) {}

  absl::Status ReadAt(int64_t offset, int64_t size, void* buffer) const override {
    HEROQ_RETURN_IF_ERROR(files_.CheckFault("read", path_));
    absl::MutexLock lock(&files_.mutex_);
    const auto total = static_cast<int64_t>(file_->data.size());
    if (offset > total || size > total - offset) {
      return MakeError(Reason::kFileCorrupt, absl::StrCat(path_, ": file ends at ", total, ", expected ",
                                                          size, " bytes at ", offset));
    }
    std::memcpy(buffer, file_->data.data() + offset, static_cast<std::size_t>(size));
    return absl::OkStatus();
  }
  void WillRead(int64_t /*offset*/, int64_t size) const override {
    absl::MutexLock lock(&files_.mutex_);
    files_.announced_bytes_ += size;
  }
  absl::StatusOr<FileInfo> Stat() const override {
    HEROQ_RETURN_IF_ERROR(files_.CheckFault("stat", path_));
    absl::MutexLock lock(&files_.mutex_);
    return files_.InfoLocked(*file_);
  }
  const std::string& path() const override { return path_; }

 private:
  MemoryFileSystem& files_;
  const std::shared_ptr<MemoryFileSystem::File> file_;
  const std::string path_;
};

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(MemoryFileSystem& files, std::shared_ptr<MemoryFileSystem::File> file, std::string path)
      : files_(files), file_(std::move(file)), path_(std::move(path)) {}

  absl::Status Append(absl::string_view data) override {
    HEROQ_RETURN_IF_ERROR(files_.CheckFault("write", path_));
    absl::MutexLock lock(&files_.mutex_);
    file_->data.append(data.data(), data.size());
    files_.MarkWrittenLocked(*file_);
    return absl::OkStatus();
  }
  absl::Status WriteAt(int64_t offset, absl::string_view data) override {
    HEROQ_RETURN_IF_ERROR(files_.CheckFault("write", path_));
    absl::MutexLock lock(&files_.mutex_);
    const std::size_t end = static_cast<std::size_t>(offset) + data.size();
    if (file_->data.size() < end) file_->data.resize(end);
    std::copy(data.begin(), data.end(), file_->data.begin() + offset);
    files_.MarkWrittenLocked(*file_);
    return absl::OkStatus();
  }
  absl::Status Sync() override { return files_.CheckFault("sync", path_); }
  absl::Status Close() override { return files_.CheckFault("close", path_); }

 private:
  MemoryFileSystem& files_;
  const std::shared_ptr<MemoryFileSystem::File> file_;
  const std::string path_;
};

int64_t MemoryFileSystem::announced_bytes() {
  absl::MutexLock lock(&mutex_);
  return announced_bytes_;
}

void MemoryFileSystem::SetFault(Fault fault) {
  absl::MutexLock lock(&mutex_);
  fault_ = std::move(fault);
}

absl::Status MemoryFileSystem::CheckFault(absl::string_view operation, const std::string& path) {
  Fault fault;
  {
    absl::MutexLock lock(&mutex_);
    fault = fault_;
  }
  return fault ? fault(operation, path) : absl::OkStatus();
}

void MemoryFileSystem::MarkWrittenLocked(File& file) {
  file.modify_time_nanos = file.change_time_nanos = ++changes_;
}

FileInfo MemoryFileSystem::InfoLocked(const File& file) const {
  FileInfo info;
  info.size = static_cast<int64_t>(file.data.size());
  info.modify_time_nanos = file.modify_time_nanos;
  info.change_time_nanos = file.change_time_nanos;
  info.inode = file.inode;
  info.is_regular = true;
  return info;
}

bool MemoryFileSystem::ExistsLocked(const std::string& path) const {
  return files_.count(path) > 0 || directories_.count(path) > 0;
}

bool MemoryFileSystem::IsEmptyLocked(const std::string& directory) const {
  const auto below = [prefix = Prefix(directory)](const std::string& path) {
    return absl::StartsWith(path, prefix);
  };
  const auto file = files_.lower_bound(Prefix(directory));
  const auto folder = directories_.upper_bound(Prefix(directory));
  return (file == files_.end() || !below(file->first)) && (folder == directories_.end() || !below(*folder));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::OpenForRead(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("open", path));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(path);
  if (directories_.count(name) > 0) return IoError(EISDIR, "open", path);
  const auto found = files_.find(name);
  if (found == files_.end()) return IoError(ENOENT, "open", path);
  return std::make_unique<MemoryRandomAccessFile>(*this, found->second, path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::Create(const std::string& path) {
  return OpenForWrite(path, /*truncate=*/true);
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForUpdate(const std::string& path) {
  return OpenForWrite(path, /*truncate=*/false);
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForWrite(const std::string& path,
                                                                             bool truncate) {
  HEROQ_RETURN_IF_ERROR(CheckFault("create", path));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(path);
  if (directories_.count(name) > 0) return IoError(EISDIR, "open", path);
  if (directories_.count(DirectoryOf(name)) == 0) return IoError(ENOENT, "open", path);
  std::shared_ptr<File>& file = files_[name];
  if (file == nullptr) {
    file = std::make_shared<File>();
    file->inode = ++inodes_;
    MarkWrittenLocked(*file);
  } else if (truncate) {
    file->data.clear();
    MarkWrittenLocked(*file);
  }
  return std::make_unique<MemoryWritableFile>(*this, file, path);
}

absl::StatusOr<FileInfo> MemoryFileSystem::Stat(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("stat", path));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(path);
  if (directories_.count(name) > 0) {
    FileInfo info;
    info.is_directory = true;
    return info;
  }
  const auto found = files_.find(name);
  if (found == files_.end()) return IoError(ENOENT, "stat", path);
  return InfoLocked(*found->second);
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(const std::string& directory) {
  HEROQ_RETURN_IF_ERROR(CheckFault("list", directory));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(directory);
  if (directories_.count(name) == 0)
    return IoError(files_.count(name) > 0 ? ENOTDIR : ENOENT, "list", directory);
  std::set<std::string> names;
  const auto add = [&](const std::string& path) {
    if (path != name && DirectoryOf(path) == name) names.insert(BaseName(path));
  };
  for (const auto& [path, file] : files_) add(path);
  for (const std::string& path : directories_) add(path);
  return std::vector<std::string>(names.begin(), names.end());
}

absl::Status MemoryFileSystem::CheckWritable(const std::string& directory) {
  HEROQ_RETURN_IF_ERROR(CheckFault("access", directory));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, Stat(directory));
  return info.is_directory ? absl::OkStatus() : IoError(ENOTDIR, "write to", directory);
}

absl::Status MemoryFileSystem::CreateDirectories(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("mkdir", path));
  absl::MutexLock lock(&mutex_);
  for (std::string name = Normalize(path); name != "/"; name = DirectoryOf(name)) {
    if (files_.count(name) > 0) return IoError(ENOTDIR, "create directory", path);
  }
  for (std::string name = Normalize(path); name != "/"; name = DirectoryOf(name)) directories_.insert(name);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  HEROQ_RETURN_IF_ERROR(CheckFault("rename", to));
  absl::MutexLock lock(&mutex_);
  return RenameLocked(Normalize(from), Normalize(to));
}

absl::Status MemoryFileSystem::RenameNoReplace(const std::string& from, const std::string& to) {
  HEROQ_RETURN_IF_ERROR(CheckFault("rename", to));
  absl::MutexLock lock(&mutex_);
  if (ExistsLocked(Normalize(to))) return IoError(EEXIST, "rename", from + " to " + to);
  return RenameLocked(Normalize(from), Normalize(to));
}

absl::Status MemoryFileSystem::RenameLocked(const std::string& from, const std::string& to) {
  const std::string both = from + " to " + to;
  if (!ExistsLocked(from) || directories_.count(DirectoryOf(to)) == 0) return IoError(ENOENT, "rename", both);
  if (from == to) return absl::OkStatus();
  const bool to_directory = directories_.count(to) > 0;
  if (files_.count(from) > 0) {
    if (to_directory) return IoError(EISDIR, "rename", both);
    files_[from]->change_time_nanos = ++changes_;
    files_[to] = std::move(files_[from]);
    files_.erase(from);
    return absl::OkStatus();
  }
  if (files_.count(to) > 0) return IoError(ENOTDIR, "rename", both);
  if (to_directory && !IsEmptyLocked(to)) return IoError(ENOTEMPTY, "rename", both);
  if (absl::StartsWith(to, Prefix(from))) return IoError(EINVAL, "rename", both);
  const auto moved = [&](const std::string& path) { return to + path.substr(from.size()); };
  std::map<std::string, std::shared_ptr<File>> files;
  for (const auto& [path, file] : files_)
    files[absl::StartsWith(path, Prefix(from)) ? moved(path) : path] = file;
  std::set<std::string> directories;
  for (const std::string& path : directories_) {
    directories.insert(path == from || absl::StartsWith(path, Prefix(from)) ? moved(path) : path);
  }
  files_ = std::move(files);
  directories_ = std::move(directories);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::RemoveFile(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("remove", path));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(path);
  if (directories_.count(name) > 0) return IoError(EISDIR, "remove", path);
  if (files_.erase(name) == 0) return IoError(ENOENT, "remove", path);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::RemoveTree(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("remove", path));
  absl::MutexLock lock(&mutex_);
  const std::string name = Normalize(path);
  const auto below = [&](const std::string& entry) {
    return entry == name || absl::StartsWith(entry, Prefix(name));
  };
  std::erase_if(files_, [&](const auto& entry) { return below(entry.first); });
  std::erase_if(directories_, below);
  directories_.insert("/");
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  HEROQ_RETURN_IF_ERROR(CheckFault("sync directory", path));
  absl::MutexLock lock(&mutex_);
  return directories_.count(Normalize(path)) > 0 ? absl::OkStatus() : IoError(ENOENT, "open", path);
}

}  // namespace heroq
