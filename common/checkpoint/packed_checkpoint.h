#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/quant/quant_scheme.h"

namespace heroq {

// A module name, or "re:" and a regular expression that matches from the name's start.
struct NamePattern {
  std::string text;
  std::optional<std::regex> regex;
};

// How the quantization_config of a compressed-tensors checkpoint says its linears are stored. Understands
// format pack-quantized with integer weights of 2 to 8 bits per group or channel and no activation
// quantization or transforms; anything else is UNSUPPORTED, naming the field: a checkpoint understood in part
// would be computed wrongly. Immutable, thread-safe.
class PackedCheckpoint {
 public:
  // `config_json` is the text of config.json. nullopt when it has no quantization_config.
  static absl::StatusOr<std::optional<PackedCheckpoint>> Parse(absl::string_view config_json,
                                                               const std::string& path);

  // The scheme of the linear `name` (scale_type unset: the file says it); nullopt when it is dense. Groups
  // match as in compressed-tensors: an exact name, then a pattern, then the class name "Linear".
  std::optional<QuantScheme> SchemeOf(const std::string& name) const;

 private:
  struct Target {
    NamePattern pattern;
    QuantScheme scheme;
  };

  std::vector<Target> targets_;
  std::vector<NamePattern> ignored_;
};

}  // namespace heroq
