#include "common/model/model_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/model/config_reader.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;

TEST(ModelLayoutTest, NamesOfInputsAndUnitsParseBack) {
  EXPECT_EQ(ToString(LinearInput::kAttentionIn), "attention_in");
  EXPECT_EQ(ToString(LinearInput::kMlpOut), "mlp_out");
  EXPECT_EQ(ToString(UnitKind::kMlp), "mlp");
  for (const LinearInput input :
       {LinearInput::kAttentionIn, LinearInput::kAttentionOut, LinearInput::kMlpIn, LinearInput::kMlpOut}) {
    EXPECT_EQ(ParseLinearInput(ToString(input)), input);
  }
  for (const UnitKind unit : {UnitKind::kAttention, UnitKind::kMlp})
    EXPECT_EQ(ParseUnitKind(ToString(unit)), unit);
  EXPECT_EQ(ParseLinearInput("attention"), std::nullopt);
  EXPECT_EQ(ParseUnitKind(""), std::nullopt);
}

TEST(ModelLayoutTest, TensorsAreThoseOfTheCheckpointInTheModelsOrder) {
  const char config[] = R"({"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 6,
    "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16, "rms_norm_eps": 1e-6,
    "mlp_bias": true, "tie_word_embeddings": false})";
  const absl::StatusOr<ModelLayout> layout = ParseModelConfig(config, "config.json");
  ASSERT_TRUE(layout.ok()) << layout.status();
  std::vector<std::string> names;
  for (const TensorLayout& tensor : layout->Tensors()) names.push_back(tensor.name);
  const std::string block = "model.layers.0.";
  EXPECT_THAT(names,
              ElementsAre("model.embed_tokens.weight", block + "self_attn.q_proj.weight",
                          block + "self_attn.k_proj.weight", block + "self_attn.v_proj.weight",
                          block + "self_attn.o_proj.weight", block + "mlp.gate_proj.weight",
                          block + "mlp.gate_proj.bias", block + "mlp.up_proj.weight",
                          block + "mlp.up_proj.bias", block + "mlp.down_proj.weight",
                          block + "mlp.down_proj.bias", block + "input_layernorm.weight",
                          block + "post_attention_layernorm.weight", "model.norm.weight", "lm_head.weight"));
  EXPECT_THAT(layout->Tensors().front().shape, ElementsAre(10, 8));
  EXPECT_THAT(layout->Tensors().back().shape, ElementsAre(10, 8));
  EXPECT_THAT(layout->Tensors()[9].shape, ElementsAre(8, 6));
  EXPECT_THAT(layout->Tensors()[10].shape, ElementsAre(8));
}

}  // namespace
}  // namespace heroq
