#include "coordinator/validation/manifest_check.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/blob/sha256.h"
#include "common/checkpoint/tensor_pieces.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/file_digest.h"

namespace heroq {
namespace {

constexpr char kRunName[] = "report/run.json";

// Names of all files below a directory, relative to it. Hidden ones belong to version control and download
// tools.
absl::Status ListFiles(FileSystem& files, const std::string& directory, const std::string& below,
                       std::set<std::string>& names) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<std::string> entries, files.List(JoinPath(directory, below)));
  for (const std::string& entry : entries) {
    if (absl::StartsWith(entry, ".")) continue;
    const std::string name = below.empty() ? entry : JoinPath(below, entry);
    HEROQ_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(JoinPath(directory, name)));
    if (info.is_directory) {
      HEROQ_RETURN_IF_ERROR(ListFiles(files, directory, name, names));
    } else {
      names.insert(name);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNothingUnlisted(FileSystem& files, const std::string& directory, const Manifest& manifest,
                                  Findings& findings) {
  std::set<std::string> unlisted;
  HEROQ_RETURN_IF_ERROR(ListFiles(files, directory, "", unlisted));
  unlisted.erase(kManifestName);
  unlisted.erase(kRunName);
  for (const ManifestFile& file : manifest.files) unlisted.erase(file.name);
  for (const std::string& name : unlisted) {
    findings.Check(false, "file_unlisted", {"", name}, "no file outside MANIFEST.json", "the file");
  }
  return absl::OkStatus();
}

absl::Status CheckHashes(FileSystem& files, const std::string& directory, const Manifest& manifest,
                         Findings& findings) {
  for (const ManifestFile& file : manifest.files) {
    const Findings::Place place{"", file.name};
    const std::string path = JoinPath(directory, file.name);
    if (!findings.Check(files.Exists(path), "file_missing", place, absl::StrCat(file.size_bytes, " bytes"),
                        "none")) {
      continue;
    }
    HEROQ_ASSIGN_OR_RETURN(const Digest digest, DigestOfFile(files, path));
    if (!findings.Check(digest.size_bytes == file.size_bytes, "file_size", place,
                        absl::StrCat(file.size_bytes), absl::StrCat(digest.size_bytes))) {
      continue;
    }
    findings.Check(digest.sha256 == file.sha256, "file_hash", place, file.sha256, digest.sha256);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> DigestOf(const CheckpointReader::Entry& entry) {
  Sha256 digest;
  HEROQ_RETURN_IF_ERROR(ReadInPieces(entry, [&](int64_t, absl::string_view piece) {
    digest.Update(piece);
    return absl::OkStatus();
  }));
  return digest.Finish();
}

std::string Text(absl::string_view dtype, const std::vector<int64_t>& shape, absl::string_view file) {
  return absl::StrCat(dtype, " [", absl::StrJoin(shape, ", "), "] in ", file);
}

}  // namespace

absl::StatusOr<std::optional<Manifest>> CheckManifestFiles(FileSystem& files, const std::string& directory,
                                                           Findings& findings) {
  const std::string path = JoinPath(directory, kManifestName);
  if (!files.Exists(path)) return std::optional<Manifest>();
  HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path));
  absl::StatusOr<Manifest> manifest = ParseManifest(json, path);
  if (!findings.Check(manifest.ok(), "manifest_invalid", {"", kManifestName}, "a manifest of heroq",
                      manifest.status().message())) {
    return std::optional<Manifest>();
  }
  findings.Check(manifest->unhashed == std::vector<std::string>{kRunName}, "manifest_invalid",
                 {"", kManifestName}, absl::StrCat("a hash of every file but ", kRunName),
                 absl::StrCat("none of ", absl::StrJoin(manifest->unhashed, ", ")));
  HEROQ_RETURN_IF_ERROR(CheckHashes(files, directory, *manifest, findings));
  HEROQ_RETURN_IF_ERROR(CheckNothingUnlisted(files, directory, *manifest, findings));
  return std::optional<Manifest>(*std::move(manifest));
}

absl::Status CheckManifestTensors(const Manifest& manifest, const DirectoryModel& model, Findings& findings) {
  const std::map<std::string, CheckpointReader::Entry>& tensors = model.tensors->tensors();
  std::set<std::string> listed;
  for (const ManifestTensor& tensor : manifest.tensors) {
    listed.insert(tensor.name);
    const auto found = tensors.find(tensor.name);
    const std::string stored = found == tensors.end()
                                   ? "none"
                                   : Text(ToString(found->second.info.dtype), found->second.info.shape,
                                          BaseName(found->second.file->path()));
    const std::string stated = Text(tensor.dtype, tensor.shape, tensor.file);
    const Findings::Place place{tensor.name, tensor.file};
    if (!findings.Check(stored == stated, "manifest_tensor", place, stated, stored)) continue;
    HEROQ_ASSIGN_OR_RETURN(const std::string digest, DigestOf(found->second));
    findings.Check(digest == tensor.sha256, "tensor_hash", place, tensor.sha256, digest);
  }
  for (const auto& [name, entry] : tensors) {
    findings.Check(listed.count(name) > 0, "manifest_tensor", {name, kManifestName}, "an entry of tensors",
                   "none");
  }
  std::set<std::string> linears;
  for (const ManifestLinear& linear : manifest.linears) {
    linears.insert(linear.name);
    findings.Check(model.quantized.count(linear.name) > 0, "manifest_linear", {linear.name, kManifestName},
                   "a linear that config.json calls quantized", "a dense one, or none");
  }
  for (const auto& [name, storage] : model.quantized) {
    findings.Check(linears.count(name) > 0, "manifest_linear", {name, kManifestName}, "an entry of linears",
                   "none");
  }
  return absl::OkStatus();
}

}  // namespace heroq
