#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace heroq {

inline constexpr char kManifestName[] = "MANIFEST.json";

struct ManifestFile {
  std::string name;  // relative to the directory
  int64_t size_bytes = 0;
  std::string sha256;
};

struct ManifestTensor {
  std::string name;
  std::string file;
  std::string dtype;
  std::vector<int64_t> shape;
  std::string sha256;
  bool copied = false;  // byte-equal to the source tensor of the same name
};

// How far the stored weight of a linear is from the source's.
struct ManifestLinear {
  std::string name;
  std::string scheme;
  double weight_error = 0;               // ||E||_F^2 / ||W||_F^2
  std::optional<double> relative_error;  // tr(E H E^T) / tr(W H W^T); unset without calibration
  std::string weight_digest;             // WeightDigest
  bool transformed = false;              // the errors are of a transformed weight, which is in no file
};

// What a published directory holds. MANIFEST.json is written last: a directory with one is complete. Depends
// on nothing but the job's specification, its numeric class and the version of heroq.
struct Manifest {
  std::string heroq_version;
  std::string compressed_tensors_version;
  std::string spec_digest;
  std::string numeric_class;
  std::string method;
  std::string format;
  std::string compute_type;
  std::string calibration_tokens_sha256;  // empty without calibration
  std::string evaluation_tokens_sha256;   // empty without evaluation
  std::vector<ManifestFile> files;        // in name order
  std::vector<std::string> unhashed;      // also published, different in every run
  std::vector<ManifestTensor> tensors;    // in name order
  std::vector<ManifestLinear> linears;    // in model order
};

std::string SerializeManifest(const Manifest& manifest);
// FILE_CORRUPT naming `path` and member.
absl::StatusOr<Manifest> ParseManifest(const std::string& json, const std::string& path);

}  // namespace heroq
