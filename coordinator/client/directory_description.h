#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_system.h"

namespace heroq {

// Linears that are stored alike.
struct LinearGroup {
  std::string scheme;  // "bf16", "W4 group 64 asymmetric"
  std::string format;  // "dense", "pack-quantized", "int-quantized", "gptq", "gptq_v2"
  int64_t linears = 0;
  int64_t parameters = 0;
  int64_t bytes = 0;  // of every tensor that belongs to them
};

// What a model or checkpoint directory holds.
struct DirectoryDescription {
  std::string directory;
  std::string family;
  bool quantized = false;
  std::string method;  // "compressed-tensors", "gptq", "auto-round"; empty when not quantized
  int64_t block_count = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t head_count = 0;
  int64_t kv_head_count = 0;
  int64_t head_dim = 0;
  int64_t vocab_size = 0;
  int64_t max_positions = 0;
  bool tied_head = false;
  std::string dtype;  // of the unquantized tensors, as config.json says
  int64_t files = 0;
  int64_t tensors = 0;
  int64_t bytes = 0;        // of all tensors
  int64_t other_bytes = 0;  // of tensors that belong to no linear of a block: embedding, head, norms
  std::vector<LinearGroup> linears;
};

// Reads config.json and tensor headers, no tensor data. Errors as in CheckpointReader, ParseModelConfig
// and StoredQuantization.
// Blocking.
absl::StatusOr<DirectoryDescription> DescribeDirectory(FileSystem& files, const std::string& directory);

// For people, each line ended.
std::string FormatDescription(const DirectoryDescription& description);
// One JSON object with the members of DirectoryDescription, one line.
std::string DescriptionJson(const DirectoryDescription& description);

}  // namespace heroq
