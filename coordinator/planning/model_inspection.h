#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/file/file_system.h"
#include "common/model/model_layout.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

// A source model as it is now: its architecture, the headers of its files, and the identity of every
// file that decides published bytes.
struct InspectedModel {
  ModelLayout layout;
  std::unique_ptr<CheckpointReader> tensors;
  // Published beside the weights byte for byte, in name order: tokenizer, chat template, generation config,
  // licence, code.
  std::vector<std::string> copied_files;
  // Weights in name order, then config.json, index and `copied_files`.
  std::vector<v1::PinnedFile> pinned;
};

// What config.json says. MODEL_NOT_FOUND without directory or config.json, ALREADY_QUANTIZED,
// UNSUPPORTED_ARCHITECTURE, UNSUPPORTED, FILE_CORRUPT.
absl::StatusOr<ModelLayout> ReadModelLayout(FileSystem& files, const std::string& directory);

// Reads headers and small files, no tensor data; `layout` is the directory's. MODEL_NOT_FOUND without
// weights, MODEL_INVALID, FILE_CORRUPT.
absl::StatusOr<InspectedModel> InspectModel(FileSystem& files, const std::string& directory,
                                            ModelLayout layout);

// Tensors that CheckTensors allows beside the architecture's own (rotary buffers, the stored head of a tied
// model): nothing reads them, they are published unchanged. In name order.
std::vector<std::string> UnusedTensors(const ModelLayout& layout, const CheckpointReader& tensors);

// SOURCE_CHANGED naming the first file whose size, modification time or inode is not what was pinned.
absl::Status CheckPinnedFiles(FileSystem& files, const std::string& directory,
                              const google::protobuf::RepeatedPtrField<v1::PinnedFile>& pinned);

}  // namespace heroq
