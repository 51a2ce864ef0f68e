#pragma once

#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/gptq_config.h"
#include "common/checkpoint/linear_storage.h"
#include "common/checkpoint/online_transforms.h"
#include "common/checkpoint/packed_checkpoint.h"
#include "common/file/file_system.h"

namespace heroq {

// How a checkpoint directory says its linears are stored, whichever tool wrote it. Immutable, thread-safe.
class StoredQuantization {
 public:
  // From quantization_config of `config_json`, the text of config.json in `directory`, or else from
  // quantize_config.json beside it; nullopt when there is neither. These and AutoRound's
  // quantization_config.json must agree where they are there (MODEL_INVALID naming the field). UNSUPPORTED,
  // naming file and field, for methods and layouts that heroq cannot read; of compressed-tensors those
  // outside `scope`. Blocking.
  static absl::StatusOr<std::optional<StoredQuantization>> Read(FileSystem& files,
                                                                const std::string& directory,
                                                                absl::string_view config_json,
                                                                PackedScope scope = PackedScope::kStored);

  // The linear `name`; nullopt when it is dense.
  std::optional<LinearStorage> StorageOf(const std::string& name) const;
  // "compressed-tensors", "gptq" or "auto-round".
  const std::string& method() const { return method_; }
  // What loaders do to inputs at run time.
  const OnlineTransforms& online_transforms() const;

 private:
  std::string method_;
  std::variant<PackedCheckpoint, GptqConfig> config_;
};

}  // namespace heroq
