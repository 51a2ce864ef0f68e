#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/checkpoint/dtype.h"

namespace heroq {

// What heroq knows of a model, from config.json alone: enough to run its forward pass and to name every
// tensor. Plain data, no I/O, no torch.

enum class RopeKind { kDefault, kLinear, kDynamic, kLlama3 };

struct RopeConfig {
  RopeKind kind = RopeKind::kDefault;
  double theta = 10000.0;
  double factor = 1.0;                 // linear, dynamic, llama3
  double low_freq_factor = 1.0;        // llama3
  double high_freq_factor = 4.0;       // llama3
  int64_t original_max_positions = 0;  // llama3; dynamic: the model's max_positions
};

// A distinct linear input of a block. Linears that share one share its second moments.
enum class LinearInput { kAttentionIn, kAttentionOut, kMlpIn, kMlpOut };
absl::string_view ToString(LinearInput input);  // "attention_in", ...
std::optional<LinearInput> ParseLinearInput(absl::string_view text);

// Linears that one Quantize task handles together: what transforms share.
enum class UnitKind { kAttention, kMlp };
absl::string_view ToString(UnitKind kind);  // "attention", "mlp"
std::optional<UnitKind> ParseUnitKind(absl::string_view text);

// What a linear does in its block.
enum class LinearRole { kQuery, kKey, kValue, kOutput, kGate, kUp, kDown };
absl::string_view ToString(LinearRole role);  // "query", ...
std::optional<LinearRole> ParseLinearRole(absl::string_view text);

struct LinearLayout {
  std::string name;  // "model.layers.0.self_attn.q_proj"; weight is name + ".weight"
  int64_t out_features = 0;
  int64_t in_features = 0;
  LinearInput input = LinearInput::kAttentionIn;
  UnitKind unit = UnitKind::kAttention;
  bool has_bias = false;  // name + ".bias" [out]
  LinearRole role = LinearRole::kQuery;
};

struct TensorLayout {
  std::string name;
  std::vector<int64_t> shape;
};

struct BlockLayout {
  std::string prefix;                 // "model.layers.0."
  std::vector<LinearLayout> linears;  // q, k, v, o, gate, up, down
  std::vector<TensorLayout> norms;    // input_layernorm, post_attention_layernorm weights

  // The norm whose output the unit's first linears read.
  const TensorLayout& NormOf(UnitKind unit) const { return norms[unit == UnitKind::kAttention ? 0 : 1]; }
};

struct ModelLayout {
  std::string family;  // "llama"
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t block_count = 0;
  int64_t head_count = 0;
  int64_t kv_head_count = 0;
  int64_t head_dim = 0;
  int64_t max_positions = 0;
  double norm_epsilon = 1e-6;
  RopeConfig rope;
  bool tied_head = false;       // the head is the embedding; no lm_head.weight in the files
  DType dtype = DType::kBf16;   // what config.json says the weights are
  std::string embedding_name;   // "model.embed_tokens.weight"
  std::string final_norm_name;  // "model.norm.weight"
  std::string head_name;        // "lm_head.weight"; the embedding's name when tied
  std::string own_head_name;    // what head_name is or would be without tying
  std::vector<BlockLayout> blocks;
  std::optional<int64_t> bos_token_id;

  // Every tensor the checkpoint must hold, with its shape, in the model's order.
  std::vector<TensorLayout> Tensors() const;

  // The same model with a head of its own.
  ModelLayout Untied() const;
};

}  // namespace heroq
