#include "common/model/llama_family.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/rope_config.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

// Far above any model, low enough that products of two stay within 64 bits.
constexpr int64_t kMaxSize = int64_t{1} << 30;
constexpr int64_t kMaxBlocks = 10'000;
constexpr int64_t kDefaultBosToken = 1;

struct Biases {
  bool attention = false;
  bool mlp = false;
};

absl::Status ReadHeads(const ConfigFields& config, ModelLayout* layout) {
  HEROQ_ASSIGN_OR_RETURN(layout->head_count, config.Integer("num_attention_heads", 1, kMaxSize));
  HEROQ_ASSIGN_OR_RETURN(layout->kv_head_count,
                         config.Integer("num_key_value_heads", 1, kMaxSize, layout->head_count));
  if (layout->head_count % layout->kv_head_count != 0) {
    return config.Corrupt("num_key_value_heads", absl::StrCat(layout->kv_head_count, " does not divide the ",
                                                              layout->head_count, " attention heads"));
  }
  if (!config.Has("head_dim") && layout->hidden_size % layout->head_count != 0) {
    return config.Corrupt("num_attention_heads",
                          absl::StrCat(layout->head_count, " does not divide hidden_size ",
                                       layout->hidden_size, " and head_dim is absent"));
  }
  HEROQ_ASSIGN_OR_RETURN(layout->head_dim,
                         config.Integer("head_dim", 1, kMaxSize, layout->hidden_size / layout->head_count));
  if (layout->head_dim % 2 != 0) {
    return config.Corrupt("head_dim",
                          absl::StrCat("is ", layout->head_dim, ", rotary positions need an even one"));
  }
  if (layout->head_count * layout->head_dim > kMaxSize) {
    return config.Corrupt("head_dim", absl::StrCat("times num_attention_heads is above ", kMaxSize));
  }
  return absl::OkStatus();
}

absl::Status CheckActivation(const ConfigFields& config) {
  HEROQ_ASSIGN_OR_RETURN(const std::string activation, config.String("hidden_act", "silu"));
  if (activation == "silu") return absl::OkStatus();
  return config.Unsupported("hidden_act", absl::StrCat("is \"", activation, "\", expected silu"));
}

BlockLayout MakeBlock(const ModelLayout& layout, int64_t index, const Biases& biases) {
  const int64_t hidden = layout.hidden_size;
  const int64_t query = layout.head_count * layout.head_dim;
  const int64_t key = layout.kv_head_count * layout.head_dim;
  const int64_t inner = layout.intermediate_size;
  BlockLayout block;
  block.prefix = absl::StrCat("model.layers.", index, ".");
  const auto attention = [&](absl::string_view name, LinearRole role, int64_t out, int64_t in,
                             LinearInput input) {
    block.linears.push_back({absl::StrCat(block.prefix, "self_attn.", name), out, in, input,
                             UnitKind::kAttention, biases.attention, role});
  };
  const auto mlp = [&](absl::string_view name, LinearRole role, int64_t out, int64_t in, LinearInput input) {
    block.linears.push_back(
        {absl::StrCat(block.prefix, "mlp.", name), out, in, input, UnitKind::kMlp, biases.mlp, role});
  };
  attention("q_proj", LinearRole::kQuery, query, hidden, LinearInput::kAttentionIn);
  attention("k_proj", LinearRole::kKey, key, hidden, LinearInput::kAttentionIn);
  attention("v_proj", LinearRole::kValue, key, hidden, LinearInput::kAttentionIn);
  attention("o_proj", LinearRole::kOutput, hidden, query, LinearInput::kAttentionOut);
  mlp("gate_proj", LinearRole::kGate, inner, hidden, LinearInput::kMlpIn);
  mlp("up_proj", LinearRole::kUp, inner, hidden, LinearInput::kMlpIn);
  mlp("down_proj", LinearRole::kDown, hidden, inner, LinearInput::kMlpOut);
  for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) {
    block.norms.push_back({absl::StrCat(block.prefix, norm, ".weight"), {hidden}});
  }
  return block;
}

absl::StatusOr<ModelLayout> ReadLlamaConfig(const ConfigFields& config) {
  ModelLayout layout;
  HEROQ_ASSIGN_OR_RETURN(layout.vocab_size, config.Integer("vocab_size", 1, kMaxSize));
  HEROQ_ASSIGN_OR_RETURN(layout.hidden_size, config.Integer("hidden_size", 1, kMaxSize));
  HEROQ_ASSIGN_OR_RETURN(layout.intermediate_size, config.Integer("intermediate_size", 1, kMaxSize));
  HEROQ_ASSIGN_OR_RETURN(layout.block_count, config.Integer("num_hidden_layers", 1, kMaxBlocks));
  HEROQ_RETURN_IF_ERROR(ReadHeads(config, &layout));
  HEROQ_ASSIGN_OR_RETURN(layout.max_positions, config.Integer("max_position_embeddings", 1, kMaxSize));
  HEROQ_ASSIGN_OR_RETURN(layout.norm_epsilon, config.PositiveNumber("rms_norm_eps"));
  HEROQ_ASSIGN_OR_RETURN(layout.rope, ReadRopeConfig(config, layout.max_positions));
  HEROQ_RETURN_IF_ERROR(CheckActivation(config));
  HEROQ_ASSIGN_OR_RETURN(layout.tied_head, config.Boolean("tie_word_embeddings", false));
  Biases biases;
  HEROQ_ASSIGN_OR_RETURN(biases.attention, config.Boolean("attention_bias", false));
  HEROQ_ASSIGN_OR_RETURN(biases.mlp, config.Boolean("mlp_bias", false));
  // A null says that there is none; an absent one is the family's.
  if (!config.json().contains("bos_token_id")) {
    layout.bos_token_id = kDefaultBosToken;
  } else if (config.Has("bos_token_id")) {
    HEROQ_ASSIGN_OR_RETURN(layout.bos_token_id, config.Integer("bos_token_id", 0, kMaxSize));
  }
  layout.embedding_name = "model.embed_tokens.weight";
  layout.final_norm_name = "model.norm.weight";
  layout.own_head_name = "lm_head.weight";
  layout.head_name = layout.tied_head ? layout.embedding_name : layout.own_head_name;
  for (int64_t block = 0; block < layout.block_count; ++block) {
    layout.blocks.push_back(MakeBlock(layout, block, biases));
  }
  return layout;
}

}  // namespace

ModelFamily LlamaFamily() { return {"llama", {"LlamaForCausalLM"}, ReadLlamaConfig}; }

}  // namespace heroq
