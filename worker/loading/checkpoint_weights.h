#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/stored_quantization.h"
#include "common/file/file_system.h"
#include "worker/loading/adapter_weights.h"
#include "worker/loading/weight_source.h"

namespace heroq {

// The tensors of a model directory: dense, or compressed-tensors pack-quantized or int-quantized, whose
// linears are dequantized, with the rotations of inputs that its transform_config leaves to loaders and the
// low-rank branches of an adapter in it. Reads the files at each call.
class CheckpointWeights : public WeightSource {
 public:
  // Reads config.json and the headers of the safetensors files. Tensors go to `device`. Errors:
  // MODEL_NOT_FOUND, FILE_CORRUPT, MODEL_INVALID (a tensor of the layout is missing or has another shape),
  // UNSUPPORTED naming what of a quantization_config is not understood.
  static absl::StatusOr<std::unique_ptr<CheckpointWeights>> Open(FileSystem& files,
                                                                 const std::string& directory,
                                                                 c10::Device device);

  const ModelLayout& layout() const override { return layout_; }
  const std::string& directory() const { return reader_->directory(); }
  c10::Device device() const override { return device_; }
  absl::StatusOr<at::Tensor> Load(const std::string& name, c10::ScalarType dtype) const override;
  void WillLoad(const std::string& name) const override;
  int ActivationBits(const std::string& name) const override;
  absl::StatusOr<std::pair<at::Tensor, at::Tensor>> LoadBranch(const std::string& name) const override;
  absl::StatusOr<at::Tensor> LoadRows(const std::string& name, const at::Tensor& rows,
                                      c10::ScalarType dtype) const override;
  absl::StatusOr<at::Tensor> LoadRotation(const BlockLayout& block, LinearInput input,
                                          c10::ScalarType dtype) const override;

 private:
  CheckpointWeights(std::unique_ptr<CheckpointReader> reader, ModelLayout layout,
                    std::optional<StoredQuantization> stored, std::unique_ptr<AdapterWeights> adapter,
                    c10::Device device)
      : reader_(std::move(reader)),
        layout_(std::move(layout)),
        stored_(std::move(stored)),
        adapter_(std::move(adapter)),
        device_(device) {}

  absl::Status CheckTensors();
  absl::Status CheckRotations();
  // Set for a weight that is stored quantized.
  std::optional<LinearStorage> StorageOf(const std::string& name) const;

  const std::unique_ptr<CheckpointReader> reader_;
  const ModelLayout layout_;
  const std::optional<StoredQuantization> stored_;
  const std::unique_ptr<AdapterWeights> adapter_;  // null without one
  const c10::Device device_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  // The tensor of a rotated input, by the block's prefix.
  std::map<std::pair<std::string, LinearInput>, std::string> rotations_;
};

}  // namespace heroq
