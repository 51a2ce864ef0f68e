#include "coordinator/validation/checkpoint_validator.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/file_digest.h"
#include "coordinator/validation/findings.h"
#include "coordinator/validation/linear_check.h"
#include "coordinator/validation/manifest.h"
#include "coordinator/validation/source_check.h"

namespace heroq {
namespace {

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
  for (const std::string& name : manifest.unhashed) unlisted.erase(name);
  for (const ManifestFile& file : manifest.files) unlisted.erase(file.name);
  for (const std::string& name : unlisted) {
    findings.Check(false, "file_unlisted", {"", name}, "no file outside MANIFEST.json", "the file");
  }
  return absl::OkStatus();
}

absl::Status CheckManifestFiles(FileSystem& files, const std::string& directory, const Manifest& manifest,
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

absl::StatusOr<std::optional<Manifest>> ReadManifest(FileSystem& files, const std::string& directory,
                                                     Findings& findings) {
  const std::string path = JoinPath(directory, kManifestName);
  if (!files.Exists(path)) return std::optional<Manifest>();
  HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path));
  absl::StatusOr<Manifest> manifest = ParseManifest(json, path);
  if (!findings.Check(manifest.ok(), "manifest_invalid", {"", kManifestName}, "a manifest of heroq",
                      manifest.status().message())) {
    return std::optional<Manifest>();
  }
  return std::optional<Manifest>(*std::move(manifest));
}

// Linears whose stored parts passed every check.
absl::StatusOr<std::set<std::string>> CheckLinears(const DirectoryModel& model, Findings& findings) {
  std::set<std::string> sound;
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const auto scheme = model.schemes.find(linear.name);
      if (scheme == model.schemes.end()) continue;
      HEROQ_ASSIGN_OR_RETURN(const bool holds,
                             CheckQuantizedLinear(*model.tensors, linear, scheme->second, findings));
      if (holds) sound.insert(linear.name);
    }
  }
  return sound;
}

absl::Status CheckAgainstSource(FileSystem& files, const std::string& source_directory,
                                const DirectoryModel& model, const std::optional<Manifest>& manifest,
                                const std::set<std::string>& sound, Findings& findings) {
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> source,
                         CheckpointReader::Open(files, source_directory));
  std::set<std::string> copied;
  std::map<std::string, double> errors;
  if (manifest.has_value()) {
    for (const ManifestTensor& tensor : manifest->tensors) {
      if (tensor.copied && model.tensors->Has(tensor.name)) copied.insert(tensor.name);
    }
    for (const ManifestLinear& linear : manifest->linears) errors[linear.name] = linear.weight_error;
  } else {
    // Of another tool's directory all that is known is that dense tensors were not quantized.
    for (const TensorLayout& tensor : model.layout.Tensors()) {
      if (model.tensors->Has(tensor.name)) copied.insert(tensor.name);
    }
  }
  for (const std::string& name : copied)
    HEROQ_RETURN_IF_ERROR(CheckCopied(*model.tensors, *source, name, findings));
  return CheckWeightErrors(
      model, *source,
      [&](const std::string& linear) {
        const auto found = errors.find(linear);
        return found == errors.end() ? std::optional<double>() : found->second;
      },
      [&](const std::string& linear) { return sound.count(linear) > 0; }, findings);
}

absl::StatusOr<std::optional<DirectoryModel>> OpenAndCheckStructure(FileSystem& files,
                                                                    const std::string& directory,
                                                                    Findings& findings, bool& shapes_hold) {
  HEROQ_ASSIGN_OR_RETURN(std::optional<DirectoryModel> model, OpenDirectoryModel(files, directory, findings));
  if (!model.has_value()) return model;
  Findings structure;
  CheckStructure(files, *model, structure);
  const v1::ValidateCheckpointResponse found = structure.Take();
  shapes_hold = std::none_of(found.findings().begin(), found.findings().end(),
                             [](const v1::ValidationFinding& finding) {
                               return finding.rule() == "tensor_missing" || finding.rule() == "tensor_shape";
                             });
  findings.Merge(found);
  return model;
}

void CheckPlannedFiles(FileSystem& files, const std::string& directory, const v1::Plan& plan,
                       Findings& findings) {
  for (const v1::PlannedFile& file : plan.files()) {
    const Findings::Place place{"", file.name()};
    const absl::StatusOr<std::unique_ptr<RandomAccessFile>> opened =
        files.OpenForRead(JoinPath(directory, file.name()));
    if (!findings.Check(opened.ok(), "file_missing", place, "a planned file", opened.status().message()))
      continue;
    std::string header(file.header().size(), '\0');
    const absl::Status read = (*opened)->ReadAt(0, static_cast<int64_t>(header.size()), header.data());
    findings.Check(read.ok() && header == file.header(), "header_differs", place, "the planned header",
                   "another");
  }
}

}  // namespace

absl::StatusOr<v1::ValidateCheckpointResponse> ValidateCheckpoint(FileSystem& files,
                                                                  const std::string& directory,
                                                                  const std::string& source_directory) {
  Findings findings;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<Manifest> manifest, ReadManifest(files, directory, findings));
  if (manifest.has_value()) {
    HEROQ_RETURN_IF_ERROR(CheckManifestFiles(files, directory, *manifest, findings));
    HEROQ_RETURN_IF_ERROR(CheckNothingUnlisted(files, directory, *manifest, findings));
  }
  bool shapes_hold = false;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<DirectoryModel> model,
                         OpenAndCheckStructure(files, directory, findings, shapes_hold));
  // The contents of tensors of the wrong shape mean nothing.
  if (!model.has_value() || !shapes_hold) return findings.Take();
  HEROQ_ASSIGN_OR_RETURN(const std::set<std::string> sound, CheckLinears(*model, findings));
  if (!source_directory.empty()) {
    HEROQ_RETURN_IF_ERROR(CheckAgainstSource(files, source_directory, *model, manifest, sound, findings));
  }
  return findings.Take();
}

absl::StatusOr<v1::ValidateCheckpointResponse> ValidateStaged(
    FileSystem& files, const std::string& directory, const v1::Plan& plan,
    const std::map<std::string, double>& reported_weight_error) {
  Findings findings;
  CheckPlannedFiles(files, directory, plan, findings);
  bool shapes_hold = false;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<DirectoryModel> model,
                         OpenAndCheckStructure(files, directory, findings, shapes_hold));
  if (!model.has_value() || !shapes_hold) return findings.Take();
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      findings.Check(model->schemes.count(linear.name()) > 0, "linear_not_quantized",
                     {linear.name(), "config.json"}, "a quantized linear", "a dense one");
      findings.Check(reported_weight_error.count(linear.name()) > 0, "report_missing", {linear.name(), ""},
                     "a reported weight error", "none");
    }
  }
  HEROQ_ASSIGN_OR_RETURN(const std::set<std::string> sound, CheckLinears(*model, findings));
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> source,
                         CheckpointReader::Open(files, plan.model_directory()));
  for (const v1::PlannedFile& file : plan.files()) {
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      if (tensor.copied())
        HEROQ_RETURN_IF_ERROR(CheckCopied(*model->tensors, *source, tensor.name(), findings));
    }
  }
  HEROQ_RETURN_IF_ERROR(CheckWeightErrors(
      *model, *source,
      [&](const std::string& linear) {
        const auto found = reported_weight_error.find(linear);
        return found == reported_weight_error.end() ? std::optional<double>() : found->second;
      },
      [&](const std::string& linear) { return sound.count(linear) > 0; }, findings));
  return findings.Take();
}

}  // namespace heroq
