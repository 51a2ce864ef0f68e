#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/quant/quant_scheme.h"
#include "common/quant/quantized_linear.h"

namespace heroq {

// How the quantization_config of a compressed-tensors checkpoint says its linears are stored. Understands
// format pack-quantized with integer weights of 2 to 8 bits per group or channel and no activation
// quantization or transforms; anything else is UNSUPPORTED, naming the field: a checkpoint that were read
// partly would be computed wrongly.
class PackedCheckpoint {
 public:
  // `config_json` is the text of config.json. nullopt when it has no quantization_config.
  static absl::StatusOr<std::optional<PackedCheckpoint>> Parse(absl::string_view config_json,
                                                               const std::string& path);

  // The scheme of the linear `name`; nullopt when it is dense. Groups match as compressed-tensors does: an
  // exact name, then a "re:" pattern at the start of the name, then the class name "Linear".
  std::optional<QuantScheme> SchemeOf(const std::string& name) const;

  // Reads "<name>.weight_packed", ".weight_scale", ".weight_shape" and, asymmetric, ".weight_zero_point".
  // MODEL_INVALID naming tensor and rule.
  absl::StatusOr<QuantizedLinear> Read(const CheckpointReader& reader, const std::string& name,
                                       const QuantScheme& scheme) const;

 private:
  struct Target {
    std::string text;                 // without "re:"
    std::optional<std::regex> regex;  // set for "re:"
    QuantScheme scheme;
  };
  struct Ignored {
    std::string text;
    std::optional<std::regex> regex;
  };

  std::vector<Target> targets_;
  std::vector<Ignored> ignored_;
};

}  // namespace heroq
