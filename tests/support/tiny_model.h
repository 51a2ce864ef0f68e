#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/file/file_system.h"
#include "heroq/v1/job.pb.h"

namespace heroq {

// A llama with random weights, small enough to quantize in a test.
struct TinyModel {
  int64_t blocks = 2;
  int64_t hidden = 64;
  int64_t intermediate = 96;
  int64_t heads = 4;
  int64_t kv_heads = 2;
  int64_t vocab = 100;
  int64_t max_positions = 64;
  bool tied = true;
  bool biases = false;  // of every linear
  uint64_t seed = 1;
};

// Writes config.json, model.safetensors (bf16), generation_config.json and LICENSE to `directory`; crashes on
// errors.
void WriteTinyModel(FileSystem& files, const std::string& directory, const TinyModel& model = {});

// Writes `path`: safetensors "input_ids" int32 [sequences, length] of ids below `vocab`.
void WriteTokens(FileSystem& files, const std::string& path, int64_t sequences, int64_t length,
                 int64_t vocab);

// A location below the root "local", which is "/".
v1::Location LocalPath(const std::string& absolute_path);

// Values in [-1, 1) from a fixed sequence: the same on every machine.
std::vector<float> RandomValues(size_t count, uint64_t seed);

}  // namespace heroq
