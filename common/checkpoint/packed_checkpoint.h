#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/linear_storage.h"
#include "common/checkpoint/online_transforms.h"
#include "common/checkpoint/quantization_fields.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// What a reader of a compressed-tensors checkpoint is able to do with it.
enum class PackedScope {
  // Compute: activations as they are or quantized at run time, symmetric with a scale per token; no group
  // index.
  kComputed,
  // Check the stored weights: also activations quantized at run time in any other way, and weight_g_idx.
  kStored,
};

// How the quantization_config of a compressed-tensors checkpoint says its linears are stored. Understands
// integer weights of 2 to 8 bits per group or channel in the formats of the scope, and the transforms of
// OnlineTransforms; anything else is UNSUPPORTED, naming the field: a checkpoint understood in part would be
// computed wrongly.
// Immutable, thread-safe.
class PackedCheckpoint {
 public:
  // `config_json` is the text of config.json. nullopt when it has no quantization_config.
  static absl::StatusOr<std::optional<PackedCheckpoint>> Parse(absl::string_view config_json,
                                                               const std::string& path,
                                                               PackedScope scope = PackedScope::kComputed);

  // The linear `name`; nullopt when it is dense. Groups match as in compressed-tensors: an exact name, then a
  // pattern, then the class name "Linear".
  std::optional<LinearStorage> StorageOf(const std::string& name) const;
  // Its scheme; scale_type is unset: the file says it.
  std::optional<QuantScheme> SchemeOf(const std::string& name) const;
  // What loaders do to inputs at run time; of dense linears too.
  const OnlineTransforms& online_transforms() const { return online_; }

 private:
  struct Target {
    NamePattern pattern;
    LinearStorage storage;
  };

  std::vector<Target> targets_;
  std::vector<NamePattern> ignored_;
  OnlineTransforms online_;
};

}  // namespace heroq
