#include "coordinator/validation/manifest_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/blob/sha256.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr int64_t kPiece = int64_t{4} << 20;

// Names of all files below `directory`, relative to it.
void ListFiles(FileSystem& files, const std::string& directory, const std::string& prefix,
               std::set<std::string>& names) {
  const auto entries = files.List(prefix.empty() ? directory : JoinPath(directory, prefix));
  if (!entries.ok()) return;
  for (const std::string& entry : *entries) {
    const std::string name = prefix.empty() ? entry : JoinPath(prefix, entry);
    const auto info = files.Stat(JoinPath(directory, name));
    if (info.ok() && info->is_directory) {
      ListFiles(files, directory, name, names);
    } else {
      names.insert(name);
    }
  }
}

}  // namespace

absl::StatusOr<std::string> HashFile(FileSystem& files, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  HEROQ_ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  Sha256 hash;
  std::string piece;
  for (int64_t offset = 0; offset < info.size; offset += kPiece) {
    piece.resize(static_cast<size_t>(std::min(kPiece, info.size - offset)));
    HEROQ_RETURN_IF_ERROR(file->ReadAt(offset, static_cast<int64_t>(piece.size()), piece.data()));
    hash.Update(piece);
  }
  return hash.Finish();
}

void CheckManifestFiles(FileSystem& files, const std::string& directory, const Manifest& manifest,
                        ValidationFindings& findings) {
  std::set<std::string> present;
  ListFiles(files, directory, "", present);
  present.erase(kManifestName);
  for (const std::string& name : manifest.unhashed_files) present.erase(name);
  for (const ManifestFile& file : manifest.files) {
    const std::string path = JoinPath(directory, file.name);
    const auto info = files.Stat(path);
    findings.Check(info.ok(), "file_missing", {"", file.name}, "the file", info.ok() ? "" : "nothing");
    present.erase(file.name);
    if (!info.ok()) continue;
    findings.Check(info->size == file.size_bytes, "file_size", {"", file.name},
                   absl::StrCat(file.size_bytes, " bytes"), absl::StrCat(info->size, " bytes"));
    if (info->size != file.size_bytes) continue;
    const auto hash = HashFile(files, path);
    findings.Check(hash.ok() && *hash == file.sha256, "file_hash", {"", file.name}, file.sha256,
                   hash.ok() ? *hash : std::string(hash.status().message()));
  }
  for (const std::string& name : present) {
    findings.Add("file_unlisted", {"", name}, "no file outside MANIFEST.json", "the file");
  }
}

}  // namespace heroq
