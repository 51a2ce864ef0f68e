#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "coordinator/validation/directory_model.h"
#include "coordinator/validation/findings.h"
#include "coordinator/validation/manifest.h"

namespace heroq {

// MANIFEST.json of `directory` against the files beside it: sizes, SHA-256, no other file but hidden ones,
// and nothing without a hash but the record of the run. nullopt when there is none or it cannot be read.
// Blocking.
absl::StatusOr<std::optional<Manifest>> CheckManifestFiles(FileSystem& files, const std::string& directory,
                                                           Findings& findings);

// What the manifest says of tensors and linears against the checkpoint: the same tensors in the same files,
// with their types, shapes and SHA-256, and exactly the linears that config.json calls quantized. Reads every
// tensor.
absl::Status CheckManifestTensors(const Manifest& manifest, const DirectoryModel& model, Findings& findings);

// What the manifest repeats of report/report.json must be what is there. Nothing is checked when the report
// is not among the manifest's files.
absl::Status CheckManifestReport(FileSystem& files, const std::string& directory, const Manifest& manifest,
                                 Findings& findings);

}  // namespace heroq
