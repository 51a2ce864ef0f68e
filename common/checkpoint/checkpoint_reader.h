#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/file/file_system.h"

namespace heroq {

// All tensors of a model directory: one model.safetensors, or the shards of model.safetensors.index.json. The
// index must agree with the shards: every entry present, no tensor in two files, no tensor outside the index,
// plain file names. When a directory has both, the single file counts, as in transformers. Follows symbolic
// links (hub snapshots). Thread-safe after Open. MODEL_NOT_FOUND for a file that does not exist, FILE_CORRUPT
// for one that breaks a rule.
class CheckpointReader {
 public:
  static absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(FileSystem& files,
                                                                const std::string& directory);

  struct Entry {
    const SafetensorsReader* file = nullptr;
    TensorInfo info;
  };

  const std::string& directory() const { return directory_; }
  const std::map<std::string, Entry>& tensors() const { return tensors_; }
  const std::vector<std::unique_ptr<SafetensorsReader>>& files() const { return files_; }
  bool Has(const std::string& name) const { return tensors_.count(name) > 0; }
  // MODEL_INVALID naming directory and tensor.
  absl::StatusOr<Entry> Find(const std::string& name) const;
  absl::StatusOr<std::string> ReadBytes(const std::string& name) const;

 private:
  CheckpointReader() = default;
  absl::Status AddFile(FileSystem& files, const std::string& path);
  absl::Status AddShards(FileSystem& files, const std::string& index);

  std::string directory_;
  std::vector<std::unique_ptr<SafetensorsReader>> files_;
  std::map<std::string, Entry> tensors_;
};

}  // namespace heroq
