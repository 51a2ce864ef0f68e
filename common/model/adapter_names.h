#pragma once

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace heroq {

// Low-rank branches of a published checkpoint: a LoRA adapter as peft stores it, in a directory of its own.
inline constexpr char kAdapterWeightsFile[] = "adapter/adapter_model.safetensors";
inline constexpr char kAdapterConfigFile[] = "adapter/adapter_config.json";

// The tensors of the branch up down of a linear: down [rank, in], up [out, rank].
inline std::string AdapterDownName(const std::string& linear) {
  return absl::StrCat("base_model.model.", linear, ".lora_A.weight");
}
inline std::string AdapterUpName(const std::string& linear) {
  return absl::StrCat("base_model.model.", linear, ".lora_B.weight");
}
inline bool IsAdapterTensor(const std::string& name) { return absl::StartsWith(name, "base_model.model."); }

}  // namespace heroq
