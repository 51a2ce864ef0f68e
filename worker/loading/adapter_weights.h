#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/file/file_system.h"

namespace heroq {

// The LoRA adapter that belongs to a checkpoint directory (kAdapterConfigFile in it). Thread-safe.
class AdapterWeights {
 public:
  // Null when the directory has none. UNSUPPORTED naming the field for an adapter that is not the plain sum
  // W x + up down x; FILE_CORRUPT.
  static absl::StatusOr<std::unique_ptr<AdapterWeights>> Open(FileSystem& files,
                                                              const std::string& directory);

  // down [rank, in] and up [out, rank] of linear `name` [out, in], float32; undefined without a branch.
  // MODEL_INVALID naming a tensor that is missing, of another shape, no float, or holds NaN or Inf. Blocking.
  absl::StatusOr<std::pair<at::Tensor, at::Tensor>> Load(const std::string& name, int64_t out, int64_t in,
                                                         c10::Device device) const;

 private:
  AdapterWeights(std::unique_ptr<SafetensorsReader> reader, int64_t rank)
      : reader_(std::move(reader)), rank_(rank) {}
  absl::StatusOr<at::Tensor> LoadTensor(const std::string& name, int64_t rows, int64_t columns,
                                        c10::Device device) const;

  const std::unique_ptr<SafetensorsReader> reader_;
  const int64_t rank_;
};

}  // namespace heroq
