#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

inline constexpr char kManifestName[] = "MANIFEST.json";

struct ManifestFile {
  std::string name;  // relative to the checkpoint directory
  int64_t size_bytes = 0;
  std::string sha256;
};

struct ManifestLinear {
  std::string scheme;  // "W4A16 g64 asymmetric"
  double weight_error = 0;
  double relative_error = -1;  // negative: not measured (no calibration)
};

// MANIFEST.json, written last: what a published checkpoint consists of and where it came from. Equal jobs
// give equal bytes. docs/reference/manifest.md describes every member.
struct Manifest {
  std::string heroq_version;
  std::string spec_digest;
  std::string numeric_class;
  std::string method;
  std::vector<ManifestFile> files;          // sorted by name
  std::vector<std::string> unhashed_files;  // listed without size and hash: report/run.json
  std::map<std::string, ManifestLinear> linears;
};

std::string SerializeManifest(const Manifest& manifest);
// FILE_CORRUPT naming the member; `path` is for messages. File names must stay inside the directory.
absl::StatusOr<Manifest> ParseManifest(absl::string_view json, const std::string& path);

}  // namespace heroq
