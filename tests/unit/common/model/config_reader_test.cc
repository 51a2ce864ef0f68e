#include "common/model/config_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Grouped-query attention with two query heads to a key head, as in the smaller Llama 3 models.
json SmallConfig() {
  return json::parse(R"({
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100, "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16", "bos_token_id": 7,
    "hidden_act": "silu", "initializer_range": 0.02})");
}

ModelLayout Parse(const json& config) {
  absl::StatusOr<ModelLayout> layout = ParseModelConfig(config.dump(), "config.json");
  EXPECT_TRUE(layout.ok()) << layout.status();
  return layout.ok() ? *layout : ModelLayout();
}

void ExpectRefused(const json& config, Reason reason, const std::string& message) {
  const absl::Status status = ParseModelConfig(config.dump(), "/m/config.json").status();
  EXPECT_TRUE(HasReason(status, reason)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/m/config.json: " + message));
}

TEST(ConfigReaderTest, SizesAreThoseOfTheConfig) {
  const ModelLayout layout = Parse(SmallConfig());
  EXPECT_EQ(layout.family, "llama");
  EXPECT_EQ(layout.vocab_size, 100);
  EXPECT_EQ(layout.hidden_size, 32);
  EXPECT_EQ(layout.intermediate_size, 48);
  EXPECT_EQ(layout.block_count, 2);
  EXPECT_EQ(layout.head_count, 4);
  EXPECT_EQ(layout.kv_head_count, 2);
  EXPECT_EQ(layout.head_dim, 8);
  EXPECT_EQ(layout.max_positions, 512);
  EXPECT_EQ(layout.norm_epsilon, 1e-5);
  EXPECT_EQ(layout.dtype, DType::kBf16);
  EXPECT_EQ(layout.bos_token_id, 7);
  EXPECT_FALSE(layout.tied_head);
}

TEST(ConfigReaderTest, LinearsHaveTheirShapesInputsAndUnits) {
  json config = SmallConfig();
  config["head_dim"] = 10;
  const ModelLayout layout = Parse(config);
  ASSERT_EQ(layout.blocks.size(), 2U);
  const BlockLayout& block = layout.blocks[1];
  EXPECT_EQ(block.prefix, "model.layers.1.");
  struct Expected {
    const char* name;
    int64_t out, in;
    LinearInput input;
    UnitKind unit;
  };
  // 4 heads of 10 are 40 query outputs, 2 of 10 are 20 key and value outputs.
  const Expected expected[] = {
      {"self_attn.q_proj", 40, 32, LinearInput::kAttentionIn, UnitKind::kAttention},
      {"self_attn.k_proj", 20, 32, LinearInput::kAttentionIn, UnitKind::kAttention},
      {"self_attn.v_proj", 20, 32, LinearInput::kAttentionIn, UnitKind::kAttention},
      {"self_attn.o_proj", 32, 40, LinearInput::kAttentionOut, UnitKind::kAttention},
      {"mlp.gate_proj", 48, 32, LinearInput::kMlpIn, UnitKind::kMlp},
      {"mlp.up_proj", 48, 32, LinearInput::kMlpIn, UnitKind::kMlp},
      {"mlp.down_proj", 32, 48, LinearInput::kMlpOut, UnitKind::kMlp},
  };
  ASSERT_EQ(block.linears.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(block.linears[i].name, std::string("model.layers.1.") + expected[i].name);
    EXPECT_EQ(block.linears[i].out_features, expected[i].out) << expected[i].name;
    EXPECT_EQ(block.linears[i].in_features, expected[i].in) << expected[i].name;
    EXPECT_EQ(block.linears[i].input, expected[i].input) << expected[i].name;
    EXPECT_EQ(block.linears[i].unit, expected[i].unit) << expected[i].name;
    EXPECT_FALSE(block.linears[i].has_bias) << expected[i].name;
  }
}

TEST(ConfigReaderTest, BiasesAreOnAllProjectionsOfTheirKind) {
  json config = SmallConfig();
  config["attention_bias"] = true;
  const ModelLayout attention = Parse(config);
  for (const LinearLayout& linear : attention.blocks[0].linears) {
    EXPECT_EQ(linear.has_bias, linear.unit == UnitKind::kAttention) << linear.name;
  }
  config["attention_bias"] = false;
  config["mlp_bias"] = true;
  const ModelLayout mlp = Parse(config);
  for (const LinearLayout& linear : mlp.blocks[0].linears) {
    EXPECT_EQ(linear.has_bias, linear.unit == UnitKind::kMlp) << linear.name;
  }
}

TEST(ConfigReaderTest, ATiedHeadIsTheEmbedding) {
  json config = SmallConfig();
  EXPECT_EQ(Parse(config).head_name, "lm_head.weight");
  config["tie_word_embeddings"] = true;
  EXPECT_TRUE(Parse(config).tied_head);
  EXPECT_EQ(Parse(config).head_name, "model.embed_tokens.weight");
}

// Defaults of transformers' LlamaConfig for fields that old files lack.
TEST(ConfigReaderTest, AbsentOptionalFieldsHaveTheFamilysDefaults) {
  json config = SmallConfig();
  for (const char* field :
       {"num_key_value_heads", "hidden_act", "torch_dtype", "architectures", "bos_token_id"}) {
    config.erase(field);
  }
  const ModelLayout layout = Parse(config);
  EXPECT_EQ(layout.kv_head_count, 4);
  EXPECT_EQ(layout.dtype, DType::kF32);
  EXPECT_EQ(layout.bos_token_id, 1);
  EXPECT_EQ(layout.rope.kind, RopeKind::kDefault);
  EXPECT_EQ(layout.rope.theta, 10000.0);
  config["bos_token_id"] = nullptr;
  config["head_dim"] = nullptr;
  EXPECT_EQ(Parse(config).bos_token_id, std::nullopt);
  EXPECT_EQ(Parse(config).head_dim, 8);
}

TEST(ConfigReaderTest, BothSpellingsOfTheTypeAreRead) {
  json config = SmallConfig();
  config.erase("torch_dtype");
  config["dtype"] = "float16";
  EXPECT_EQ(Parse(config).dtype, DType::kF16);
  config["dtype"] = "float8_e4m3fn";
  ExpectRefused(config, Reason::kUnsupported, "dtype: is \"float8_e4m3fn\"");
}

TEST(ConfigReaderTest, OtherArchitecturesAreRefusedWithTheKnownFamilies) {
  EXPECT_THAT(KnownModelFamilies(), ElementsAre("llama"));
  json config = SmallConfig();
  config["model_type"] = "gpt2";
  ExpectRefused(config, Reason::kUnsupportedArchitecture,
                "heroq does not know model type \"gpt2\"; known families: llama");
  config = SmallConfig();
  config["architectures"] = {"LlamaForSequenceClassification"};
  ExpectRefused(config, Reason::kUnsupportedArchitecture,
                "heroq does not know architecture \"LlamaForSequence");
}

TEST(ConfigReaderTest, QuantizedModelsAreOnlyReadWhenAskedFor) {
  json config = SmallConfig();
  config["quantization_config"] = {{"quant_method", "compressed-tensors"}};
  ExpectRefused(config, Reason::kAlreadyQuantized,
                "the model is already quantized (quant_method compressed-tensors)");
  EXPECT_TRUE(ParseQuantizedModelConfig(config.dump(), "x").ok());
  config["quantization_config"] = nullptr;
  EXPECT_EQ(Parse(config).block_count, 2);
}

TEST(ConfigReaderTest, MissingAndWrongFieldsAreNamed) {
  for (const char* field :
       {"model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "max_position_embeddings", "rms_norm_eps"}) {
    json config = SmallConfig();
    config.erase(field);
    ExpectRefused(config, Reason::kFileCorrupt, std::string(field) + ": is missing");
  }
  const auto with = [](const char* field, const json& value) {
    json config = SmallConfig();
    config[field] = value;
    return config;
  };
  ExpectRefused(with("hidden_size", "32"), Reason::kFileCorrupt, "hidden_size: must be an integer");
  ExpectRefused(with("hidden_size", 32.0), Reason::kFileCorrupt, "hidden_size: must be an integer");
  ExpectRefused(with("hidden_size", 0), Reason::kFileCorrupt, "hidden_size: is 0, expected 1 to");
  ExpectRefused(with("hidden_size", 18446744073709551615ULL), Reason::kFileCorrupt,
                "hidden_size: is 18446744073709551615");
  ExpectRefused(with("num_hidden_layers", 1 << 20), Reason::kFileCorrupt, "num_hidden_layers: is 1048576");
  ExpectRefused(with("num_attention_heads", 5), Reason::kFileCorrupt,
                "num_key_value_heads: 2 does not divide the 5");
  ExpectRefused(with("num_attention_heads", 6), Reason::kFileCorrupt,
                "num_attention_heads: 6 does not divide hidden_size");
  ExpectRefused(with("head_dim", 7), Reason::kFileCorrupt,
                "head_dim: is 7, rotary positions need an even one");
  ExpectRefused(with("rms_norm_eps", 0), Reason::kFileCorrupt,
                "rms_norm_eps: is 0, expected a positive number");
  ExpectRefused(with("rms_norm_eps", "x"), Reason::kFileCorrupt, "rms_norm_eps: must be a number");
  ExpectRefused(with("tie_word_embeddings", 1), Reason::kFileCorrupt,
                "tie_word_embeddings: must be true or false");
  ExpectRefused(with("model_type", 1), Reason::kFileCorrupt, "model_type: must be a string");
  ExpectRefused(with("architectures", "x"), Reason::kFileCorrupt, "architectures: must be an array");
  ExpectRefused(with("hidden_act", "gelu"), Reason::kUnsupported, "hidden_act: is \"gelu\", expected silu");
  ExpectRefused(json::array(), Reason::kFileCorrupt, "must be a JSON object");
}

}  // namespace
}  // namespace heroq
