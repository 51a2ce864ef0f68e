#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "common/file/file_descriptor.h"
#include "common/file/file_system.h"
#include "common/file/io_error.h"
#include "common/file/posix_file.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override {
    return OpenPosixForRead(path);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return OpenPosixForWrite(path, O_CREAT | O_TRUNC);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForUpdate(const std::string& path) override {
    return OpenPosixForWrite(path, O_CREAT);
  }

  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return IoError(errno, "stat", path);
    return ToFileInfo(status);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) return IoError(error.value(), "list", directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status CheckWritable(const std::string& directory) override {
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, Stat(directory));
    if (!info.is_directory) return IoError(ENOTDIR, "write to", directory);
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return absl::OkStatus();
    return IoError(errno, "write to", directory);
  }

  absl::Status CreateDirectories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return IoError(error.value(), "create directory", path);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return RenameError(from, to);
    return absl::OkStatus();
  }

  absl::Status RenameNoReplace(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return absl::OkStatus();
    }
    if (errno != EINVAL && errno != ENOSYS) return RenameError(from, to);
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, Stat(from));
    if (info.is_directory) {
      if (::mkdir(to.c_str(), 0755) != 0) return RenameError(from, to);
      return Rename(from, to);
    }
    if (::link(from.c_str(), to.c_str()) != 0) return RenameError(from, to);
    return RemoveFile(from);
  }

  absl::Status RemoveFile(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return IoError(errno, "remove", path);
    return absl::OkStatus();
  }

  absl::Status RemoveTree(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return IoError(error.value(), "remove", path);
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open()) return IoError(errno, "open", path);
    if (::fsync(directory.get()) != 0) return IoError(errno, "sync", path);
    return absl::OkStatus();
  }

 private:
  static absl::Status RenameError(const std::string& from, const std::string& to) {
    const int error_number = errno;
    return IoError(error_number, "rename", from + " to " + to);
  }
};

}  // namespace

FileSystem& FileSystem::Posix() {
  static auto* files = new PosixFileSystem;
  return *files;
}

}  // namespace heroq
