#include "common/model/online_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "common/checkpoint/safetensors_writer.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Two blocks, 8 channels, 6 of the MLP; a checkpoint that holds nothing but the tensors named.
class OnlineRotationTest : public ::testing::Test {
 protected:
  OnlineRotationTest() {
    layout_ = ParseModelConfig(R"({"model_type": "llama", "vocab_size": 10, "hidden_size": 8,
      "intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 16,
      "rms_norm_eps": 1e-6, "tie_word_embeddings": true})",
                               "config.json")
                  .value();
    EXPECT_TRUE(files_.CreateDirectories("/m").ok());
  }

  absl::StatusOr<std::vector<RotatedInput>> Find(const json& targets, int size,
                                                 const std::vector<std::string>& tensors) {
    std::vector<NamedBytes> bytes;
    const std::string zeros(16, '\0');
    for (const std::string& name : tensors) bytes.push_back({{name, DType::kF32, {2, 2}}, zeros});
    EXPECT_TRUE(
        WriteFileAtomically(files_, "/m/model.safetensors", SerializeSafetensors(bytes).value()).ok());
    const std::unique_ptr<CheckpointReader> reader = CheckpointReader::Open(files_, "/m").value();
    const json config = {{"config_groups",
                          {{"R",
                            {{"type", "random-hadamard"},
                             {"head_dim", size},
                             {"apply", {{{"targets", targets}, {"location", "input"}}}}}}}}};
    const std::string path = "config.json";
    return FindRotatedInputs(layout_, OnlineTransforms::Parse(config, QuantizationFields(path)).value(),
                             *reader);
  }

  ModelLayout layout_;
  MemoryFileSystem files_;
};

TEST_F(OnlineRotationTest, BlocksAreTheLargestPowersOfTwoUpTo128) {
  EXPECT_EQ(OnlineRotationSize(576), 64);
  EXPECT_EQ(OnlineRotationSize(1536), 128);
  EXPECT_EQ(OnlineRotationSize(18944), 128);
  EXPECT_EQ(OnlineRotationSize(77), 1);
}

TEST_F(OnlineRotationTest, AnInputIsNamedOnceInEveryBlock) {
  const BlockLayout& block = layout_.blocks[1];
  EXPECT_EQ(OnlineTensor(block, LinearInput::kMlpIn),
            "model.layers.1.mlp.gate_proj.rotation_1_mlp_in_input.weight");
  EXPECT_TRUE(IsOnlineTensor(block, OnlineTensor(block, LinearInput::kAttentionOut)));
  EXPECT_FALSE(IsOnlineTensor(block, OnlineTensor(layout_.blocks[0], LinearInput::kAttentionOut)));
}

TEST_F(OnlineRotationTest, ATensorThatIsStoredOnceIsThatOfEveryModuleOfItsGroup) {
  const std::string stored = "model.layers.0.mlp.down_proj.R_input.weight";
  const auto found = Find(json::array({"re:.*down_proj$"}), 2, {stored, "model.norm.weight"});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->at(1).block, 1u);
  EXPECT_EQ(found->at(1).input, LinearInput::kMlpOut);
  EXPECT_EQ(found->at(1).tensor, stored);
  EXPECT_EQ(found->at(1).size, 2);
  EXPECT_EQ(Find(json::array({"re:.*down_proj$"}), 2, {"x"})->at(1).tensor,
            "model.layers.1.mlp.down_proj.R_input.weight")
      << "where it is missing";
}

TEST_F(OnlineRotationTest, WhatIsComputedOtherwiseIsRefused) {
  const auto expect_refused = [&](const json& targets, int size, const std::string& why) {
    const absl::Status status = Find(targets, size, {"x"}).status();
    EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  };
  expect_refused(json::array({"re:.*up_proj$"}), 2, "up_proj is not that of the other linears");
  expect_refused(json::array({"re:.*down_proj$"}), 4, "blocks of 4, which do not divide 6 inputs");
  expect_refused(json::array({"Linear"}), 2, "lm_head is one that heroq does not compute");
}

}  // namespace
}  // namespace heroq
