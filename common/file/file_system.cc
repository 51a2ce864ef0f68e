#include "common/file/file_system.h"

#include "absl/strings/str_cat.h"
#include "common/file/failpoint.h"
#include "common/file/temporary_name.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status WriteAndSync(FileSystem& files, const std::string& path, absl::string_view data) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  HEROQ_RETURN_IF_ERROR(file->Append(data));
  HEROQ_FAILPOINT(atomic_write_before_sync);
  HEROQ_RETURN_IF_ERROR(file->Sync());
  HEROQ_FAILPOINT(atomic_write_before_rename);
  return file->Close();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path, int64_t limit) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.OpenForRead(path));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  if (info.size > limit) {
    return MakeError(Reason::kFileCorrupt,
                     absl::StrCat(path, ": ", info.size, " bytes, expected at most ", limit));
  }
  std::string data(static_cast<std::size_t>(info.size), '\0');
  HEROQ_RETURN_IF_ERROR(file->ReadAt(0, info.size, data.data()));
  return data;
}

absl::Status WriteFileAtomically(FileSystem& files, const std::string& path, absl::string_view data) {
  const std::string directory = DirectoryOf(path);
  const std::string temporary = JoinPath(directory, absl::StrCat(".", BaseName(path), ".", TemporaryName()));
  absl::Status status = WriteAndSync(files, temporary, data);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) {
    // The first error says what went wrong; the file may not even exist.
    files.RemoveFile(temporary).IgnoreError();
    return status;
  }
  HEROQ_FAILPOINT(atomic_write_after_rename);
  return files.SyncDirectory(directory);
}

absl::Status CreateDirectoriesDurably(FileSystem& files, const std::string& path) {
  const std::string parent = DirectoryOf(path);
  if (!files.Exists(parent)) HEROQ_RETURN_IF_ERROR(CreateDirectoriesDurably(files, parent));
  HEROQ_RETURN_IF_ERROR(files.CreateDirectories(path));
  // Also when it existed: whoever made it may have been killed before the sync.
  return files.SyncDirectory(parent);
}

std::string JoinPath(absl::string_view a, absl::string_view b) {
  if (a.empty() || (!b.empty() && b.front() == '/')) return std::string(b);
  if (b.empty()) return std::string(a);
  return absl::StrCat(a, a.back() == '/' ? "" : "/", b);
}

std::string DirectoryOf(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string BaseName(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace heroq
