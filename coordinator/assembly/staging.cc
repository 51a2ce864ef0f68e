#include "coordinator/assembly/staging.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/file/failpoint.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/file_digest.h"

namespace heroq {
namespace {

// False also for a file that is not there.
absl::StatusOr<bool> HoldsAsRecorded(FileSystem& files, const std::string& path,
                                     const v1::FileAssembled& recorded) {
  const absl::StatusOr<FileInfo> info = files.Stat(path);
  if (!info.ok() || !info->is_regular || info->size != recorded.size_bytes()) return false;
  HEROQ_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(files, path));
  return digest.sha256 == recorded.sha256();
}

// Names of all files below a directory, relative to it.
absl::Status ListFilesBelow(FileSystem& files, const std::string& directory, const std::string& below,
                            std::vector<std::string>& names) {
  const std::string path = below.empty() ? directory : JoinPath(directory, below);
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> entries, files.List(path));
  for (const std::string& entry : entries) {
    const std::string name = below.empty() ? entry : JoinPath(below, entry);
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(JoinPath(directory, name)));
    if (info.is_directory) {
      HEROQ_RETURN_IF_ERROR(ListFilesBelow(files, directory, name, names));
    } else {
      names.push_back(name);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string StagingId(const std::string& job_id, int trial) {
  // No job id has a dot.
  return trial == 0 ? job_id : absl::StrCat(job_id, ".trial", trial);
}

std::string StagingPath(const std::string& output_directory, const std::string& staging_id, int64_t epoch) {
  return JoinPath(DirectoryOf(output_directory), absl::StrCat(".staging-", staging_id, "-", epoch));
}

absl::StatusOr<std::vector<std::string>> ListStaging(FileSystem& files, const std::string& output_directory,
                                                     const std::string& staging_id) {
  const std::string parent = DirectoryOf(output_directory);
  std::vector<std::string> found;
  if (!files.Exists(parent)) return found;
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(parent));
  const std::string prefix = absl::StrCat(".staging-", staging_id, "-");
  for (const std::string& name : names) {
    absl::string_view epoch = name;
    int64_t number = 0;
    // Another job's id may begin with this one's and a hyphen; only digits follow the right one.
    if (absl::ConsumePrefix(&epoch, prefix) && absl::SimpleAtoi(epoch, &number))
      found.push_back(JoinPath(parent, name));
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> AdoptStaged(
    FileSystem& files, const std::string& output_directory, const std::string& staging_id,
    const std::string& staging, const std::map<std::string, v1::FileAssembled>& assembled) {
  HEROQ_FAILPOINT(staging_before_create);
  HEROQ_RETURN_IF_ERROR(CreateDirectoriesDurably(files, staging));
  HEROQ_FAILPOINT(staging_after_create);
  std::set<std::string> held;
  std::vector<std::string> names;
  HEROQ_RETURN_IF_ERROR(ListFilesBelow(files, staging, "", names));
  for (const std::string& name : names) {
    const std::string path = JoinPath(staging, name);
    bool keep = false;
    if (const auto record = assembled.find(name); record != assembled.end()) {
      HEROQ_ASSIGN_OR_RETURN(keep, HoldsAsRecorded(files, path, record->second));
    }
    if (keep) {
      held.insert(name);
    } else {
      HEROQ_RETURN_IF_ERROR(files.RemoveTree(path));
    }
  }
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> directories,
                         ListStaging(files, output_directory, staging_id));
  for (const std::string& other : directories) {
    if (other == staging) continue;
    for (const auto& [name, record] : assembled) {
      const std::string path = JoinPath(other, name);
      HEROQ_ASSIGN_OR_RETURN(const bool holds, HoldsAsRecorded(files, path, record));
      if (!holds || held.count(name) > 0) continue;
      HEROQ_RETURN_IF_ERROR(files.CreateDirectories(DirectoryOf(JoinPath(staging, name))));
      HEROQ_FAILPOINT(adopt_before_rename);
      HEROQ_RETURN_IF_ERROR(files.Rename(path, JoinPath(staging, name)));
      HEROQ_FAILPOINT(adopt_after_rename);
      held.insert(name);
    }
    HEROQ_RETURN_IF_ERROR(files.SyncDirectory(staging));
    HEROQ_FAILPOINT(adopt_before_remove);
    HEROQ_RETURN_IF_ERROR(files.RemoveTree(other));
    HEROQ_FAILPOINT(adopt_after_remove);
  }
  HEROQ_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(staging)));
  return std::vector<std::string>(held.begin(), held.end());
}

absl::Status RemoveStaging(FileSystem& files, const std::string& output_directory,
                           const std::string& staging_id) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> directories,
                         ListStaging(files, output_directory, staging_id));
  for (const std::string& directory : directories) HEROQ_RETURN_IF_ERROR(files.RemoveTree(directory));
  return absl::OkStatus();
}

}  // namespace heroq
