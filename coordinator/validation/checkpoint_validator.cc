#include "coordinator/validation/checkpoint_validator.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/findings.h"
#include "coordinator/validation/linear_check.h"
#include "coordinator/validation/manifest.h"
#include "coordinator/validation/manifest_check.h"
#include "coordinator/validation/rotation_check.h"
#include "coordinator/validation/source_check.h"

namespace heroq {
namespace {

// Linears whose stored parts passed every check.
absl::StatusOr<std::set<std::string>> CheckLinears(const DirectoryModel& model, Findings& findings) {
  std::set<std::string> sound;
  for (const BlockLayout& block : model.layout.blocks) {
    for (const LinearLayout& linear : block.linears) {
      const auto storage = model.quantized.find(linear.name);
      if (storage == model.quantized.end()) continue;
      HEROQ_ASSIGN_OR_RETURN(const bool holds,
                             CheckQuantizedLinear(*model.tensors, linear, storage->second, findings));
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
  std::map<std::string, StatedWeight> stated;
  if (manifest.has_value()) {
    for (const ManifestTensor& tensor : manifest->tensors) {
      if (tensor.copied && model.tensors->Has(tensor.name)) copied.insert(tensor.name);
    }
    for (const ManifestLinear& linear : manifest->linears) {
      stated[linear.name] = {linear.weight_error, linear.weight_digest, linear.transformed};
    }
  } else {
    // Of another tool's directory all that is known is that dense tensors were not quantized.
    for (const TensorLayout& tensor : model.layout.Tensors()) {
      const std::string module(absl::StripSuffix(tensor.name, ".weight"));
      const bool codes = module != tensor.name && model.quantized.count(module) > 0;
      if (!codes && model.tensors->Has(tensor.name)) copied.insert(tensor.name);
    }
  }
  const CopyRule rule = manifest.has_value() ? CopyRule::kSameBytes : CopyRule::kSameValues;
  for (const std::string& name : copied)
    HEROQ_RETURN_IF_ERROR(CheckCopied(*model.tensors, *source, name, rule, findings));
  return CheckWeights(model, source.get(), stated, sound, findings);
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
  HEROQ_ASSIGN_OR_RETURN(const std::optional<Manifest> manifest,
                         CheckManifestFiles(files, directory, findings));
  if (manifest.has_value()) {
    HEROQ_RETURN_IF_ERROR(CheckManifestReport(files, directory, *manifest, findings));
  }
  bool shapes_hold = false;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<DirectoryModel> model,
                         OpenAndCheckStructure(files, directory, findings, shapes_hold));
  if (model.has_value() && manifest.has_value()) {
    HEROQ_RETURN_IF_ERROR(CheckManifestTensors(*manifest, *model, findings));
  }
  // The contents of tensors of the wrong shape mean nothing.
  if (!model.has_value() || !shapes_hold) return findings.Take();
  HEROQ_RETURN_IF_ERROR(CheckRotations(*model, findings));
  HEROQ_ASSIGN_OR_RETURN(const std::set<std::string> sound, CheckLinears(*model, findings));
  if (!source_directory.empty()) {
    HEROQ_RETURN_IF_ERROR(CheckAgainstSource(files, source_directory, *model, manifest, sound, findings));
  }
  return findings.Take();
}

absl::StatusOr<v1::ValidateCheckpointResponse> ValidateStaged(
    FileSystem& files, const std::string& directory, const v1::Plan& plan,
    const std::map<std::string, StatedWeight>& reported) {
  Findings findings;
  CheckPlannedFiles(files, directory, plan, findings);
  bool shapes_hold = false;
  HEROQ_ASSIGN_OR_RETURN(const std::optional<DirectoryModel> model,
                         OpenAndCheckStructure(files, directory, findings, shapes_hold));
  if (!model.has_value() || !shapes_hold) return findings.Take();
  HEROQ_RETURN_IF_ERROR(CheckRotations(*model, findings));
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const bool quantized = model->quantized.count(linear.name()) > 0 || IsDense(unit, linear.name());
      findings.Check(quantized, "linear_not_quantized", {linear.name(), "config.json"}, "a quantized linear",
                     "a dense one");
      findings.Check(reported.count(linear.name()) > 0, "report_missing", {linear.name(), ""},
                     "a reported weight", "none");
    }
  }
  HEROQ_ASSIGN_OR_RETURN(const std::set<std::string> sound, CheckLinears(*model, findings));
  HEROQ_RETURN_IF_ERROR(CheckWeights(*model, /*source=*/nullptr, reported, sound, findings));
  return findings.Take();
}

}  // namespace heroq
