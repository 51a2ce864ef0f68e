#include "coordinator/validation/checkpoint_validator.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/packed_linear.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/validation/manifest_check.h"
#include "coordinator/validation/model_checks.h"
#include "coordinator/validation/tensor_checks.h"

namespace heroq {
namespace {

// Two sums of the same products in float64, one of them over weights a task held in another order.
constexpr double kSameError = 1e-3;

void CheckManifest(FileSystem& files, const std::string& directory, ValidationFindings& findings) {
  const std::string path = JoinPath(directory, kManifestName);
  const auto text = ReadFile(files, path);
  if (!text.ok()) return;  // another tool's checkpoint
  const auto manifest = ParseManifest(*text, path);
  findings.Check(manifest.ok(), "manifest_invalid", {"", kManifestName}, "",
                 manifest.ok() ? "" : std::string(manifest.status().message()));
  if (manifest.ok()) CheckManifestFiles(files, directory, *manifest, findings);
}

// The staged file starts with the planned header and has exactly the planned tensors.
void CheckHeaders(FileSystem& files, const std::string& directory, const v1::Plan& plan,
                  ValidationFindings& findings) {
  for (const v1::PlannedFile& planned : plan.files()) {
    std::string header(planned.header().size(), '\0');
    const auto file = files.OpenForRead(JoinPath(directory, planned.name()));
    const absl::Status status =
        file.ok() ? (*file)->ReadAt(0, static_cast<int64_t>(header.size()), header.data()) : file.status();
    findings.Check(status.ok() && header == planned.header(), "header_differs", {"", planned.name()},
                   "the planned header", status.ok() ? "another one" : std::string(status.message()));
  }
}

absl::Status CheckUnits(const CheckpointReader& staged, const CheckpointReader& source, const v1::Plan& plan,
                        const std::map<std::string, double>& reported, ValidationFindings& findings) {
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const ValidationFindings::Place place{linear.name(), ""};
      const auto stored = ReadPackedLinear(staged, linear.name(), ToQuantScheme(linear.scheme()),
                                           {linear.out_features(), linear.in_features()});
      findings.Check(stored.ok(), "quantized_linear_invalid", place, SchemeText(linear.scheme()),
                     stored.ok() ? "" : std::string(stored.status().message()));
      if (!stored.ok()) continue;
      HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry weight, source.Find(linear.name() + ".weight"));
      HEROQ_ASSIGN_OR_RETURN(const double error, WeightError(*stored, weight));
      const auto expected = reported.find(linear.name());
      const bool agrees = expected != reported.end() && std::abs(error - expected->second) <=
                                                            kSameError * std::max(error, expected->second);
      findings.Check(agrees, "weight_error_differs", place,
                     expected == reported.end() ? "a reported weight error" : absl::StrCat(expected->second),
                     absl::StrCat(error));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCopies(const CheckpointReader& staged, const CheckpointReader& source, const v1::Plan& plan,
                         ValidationFindings& findings) {
  for (const v1::PlannedFile& file : plan.files()) {
    for (const v1::PlannedTensor& tensor : file.tensors()) {
      if (!tensor.copied()) continue;
      const auto copy = staged.Find(tensor.name());
      findings.Check(copy.ok(), "tensor_missing", {tensor.name(), file.name()}, "the tensor",
                     "no such tensor");
      if (!copy.ok()) continue;
      HEROQ_ASSIGN_OR_RETURN(const CheckpointReader::Entry original, source.Find(tensor.name()));
      HEROQ_ASSIGN_OR_RETURN(const bool same, SameBytes(*copy, original));
      findings.Check(same, "copied_tensor_differs", {tensor.name(), file.name()}, "the source's bytes",
                     "other bytes");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ValidateCheckpointResponse> ValidateCheckpoint(FileSystem& files,
                                                                  const std::string& directory,
                                                                  const std::string& source_directory) {
  ValidationFindings findings;
  HEROQ_ASSIGN_OR_RETURN(const auto checkpoint, OpenCheckpoint(files, directory, findings));
  CheckManifest(files, directory, findings);
  if (checkpoint) CheckModelTensors(*checkpoint, findings);
  if (!source_directory.empty()) {
    HEROQ_ASSIGN_OR_RETURN(const auto source, OpenCheckpoint(files, source_directory, findings));
    if (checkpoint && source) CheckAgainstSource(*checkpoint, *source, findings);
  }
  return findings.Take();
}

absl::StatusOr<v1::ValidateCheckpointResponse> ValidateStaged(
    FileSystem& files, const std::string& directory, const v1::Plan& plan,
    const std::map<std::string, double>& reported_weight_error) {
  ValidationFindings findings;
  CheckHeaders(files, directory, plan, findings);
  const auto staged = CheckpointReader::Open(files, directory);
  findings.Check(staged.ok(), "tensor_file_invalid", {"", ""}, "",
                 staged.ok() ? "" : std::string(staged.status().message()));
  if (!staged.ok()) return findings.Take();
  HEROQ_ASSIGN_OR_RETURN(const auto source, CheckpointReader::Open(files, plan.model_directory()));
  HEROQ_RETURN_IF_ERROR(CheckUnits(**staged, *source, plan, reported_weight_error, findings));
  HEROQ_RETURN_IF_ERROR(CheckCopies(**staged, *source, plan, findings));
  return findings.Take();
}

}  // namespace heroq
