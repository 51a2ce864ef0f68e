#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"
#include "coordinator/validation/manifest.h"
#include "coordinator/validation/validation_findings.h"

namespace heroq {

// SHA-256 of a file, read in pieces; lower-case hex.
absl::StatusOr<std::string> HashFile(FileSystem& files, const std::string& path);

// Every listed file is there with its size and hash; no other file is. Blocking: reads everything.
void CheckManifestFiles(FileSystem& files, const std::string& directory, const Manifest& manifest,
                        ValidationFindings& findings);

}  // namespace heroq
