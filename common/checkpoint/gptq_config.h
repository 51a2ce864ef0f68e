#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/linear_storage.h"
#include "common/checkpoint/quantization_fields.h"

namespace heroq {

// How a checkpoint of GPTQ's tensors (qweight, qzeros, scales, g_idx) says its linears are stored:
// `quant_method` "gptq" as AutoGPTQ, GPTQModel and AutoRound write it, or "auto-round" with one of
// AutoRound's GPTQ packings. 2, 3, 4 or 8 bits in 32-bit words, versions 1 and 2, with overrides by module.
// Immutable, thread-safe.
class GptqConfig {
 public:
  // `config` is the object quantization_config of config.json, or the whole of quantize_config.json; `path`
  // names it. UNSUPPORTED naming the field for anything not listed above, and for a quantized head.
  static absl::StatusOr<GptqConfig> Parse(const nlohmann::json& config, const std::string& path);

  // The linear `name`; nullopt when it is dense.
  std::optional<LinearStorage> StorageOf(const std::string& name) const;

 private:
  struct Override {
    NamePattern pattern;
    std::optional<LinearStorage> storage;  // nullopt: dense
  };
  // GPTQ's `dynamic` and AutoRound's `extra_config`.
  absl::Status ParseDynamic(const nlohmann::json& config, const QuantizationFields& fields);
  absl::Status ParseExtra(const nlohmann::json& config, const QuantizationFields& fields);

  LinearStorage storage_;
  std::vector<Override> overrides_;     // the first that matches counts
  std::vector<std::string> quantized_;  // last parts of the names of quantized linears; empty: all
};

}  // namespace heroq
