#include "common/model/checkpoint_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/checkpoint/safetensors_writer.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class CheckpointCheckTest : public ::testing::Test {
 protected:
  explicit CheckpointCheckTest(bool tied = false) {
    const std::string config = std::string(R"({"model_type": "llama", "vocab_size": 10, "hidden_size": 8,
      "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16,
      "rms_norm_eps": 1e-6, "tie_word_embeddings": )") +
                               (tied ? "true}" : "false}");
    layout_ = ParseModelConfig(config, "config.json").value();
    for (const TensorLayout& tensor : layout_.Tensors()) Set({tensor.name, DType::kBf16, tensor.shape});
    EXPECT_TRUE(files_.CreateDirectories("/m").ok());
  }

  void Set(TensorSpec spec, char fill = '\0') {
    bytes_[spec.name] = std::string(static_cast<std::size_t>(spec.bytes()), fill);
    specs_[spec.name] = std::move(spec);
  }
  absl::Status Check() {
    std::vector<NamedBytes> tensors;
    for (const auto& [name, spec] : specs_) tensors.push_back({spec, bytes_[name]});
    EXPECT_TRUE(
        WriteFileAtomically(files_, "/m/model.safetensors", SerializeSafetensors(tensors).value()).ok());
    return CheckTensors(layout_, **CheckpointReader::Open(files_, "/m"));
  }
  void ExpectInvalid(const std::string& message) {
    const absl::Status status = Check();
    EXPECT_TRUE(HasReason(status, Reason::kModelInvalid)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("/m: tensor " + message));
  }

  ModelLayout layout_;
  MemoryFileSystem files_;
  std::map<std::string, TensorSpec> specs_;
  std::map<std::string, std::string> bytes_;
};

TEST_F(CheckpointCheckTest, TheTensorsOfTheLayoutPass) {
  EXPECT_TRUE(Check().ok()) << Check();
  Set({"model.norm.weight", DType::kF32, {8}});
  EXPECT_TRUE(Check().ok()) << Check();
}

TEST_F(CheckpointCheckTest, RotaryBuffersAreIgnored) {
  Set({"model.layers.0.self_attn.rotary_emb.inv_freq", DType::kF32, {2}});
  EXPECT_TRUE(Check().ok()) << Check();
}

TEST_F(CheckpointCheckTest, AMissingTensorIsNamed) {
  specs_.erase("model.layers.0.mlp.up_proj.weight");
  ExpectInvalid("model.layers.0.mlp.up_proj.weight is missing");
}

TEST_F(CheckpointCheckTest, AWrongShapeIsNamedWithTheRightOne) {
  Set({"model.layers.0.mlp.up_proj.weight", DType::kBf16, {8, 6}});
  ExpectInvalid("model.layers.0.mlp.up_proj.weight has shape [8, 6], config.json says [6, 8]");
}

TEST_F(CheckpointCheckTest, AnIntegerWeightIsRefused) {
  Set({"lm_head.weight", DType::kI8, {10, 8}});
  ExpectInvalid("lm_head.weight is I8, expected BF16, F16 or F32");
}

TEST_F(CheckpointCheckTest, AnUnexpectedTensorIsNamed) {
  Set({"model.layers.0.self_attn.q_proj.bias", DType::kBf16, {8}});
  ExpectInvalid("model.layers.0.self_attn.q_proj.bias is not part of a llama model");
}

TEST_F(CheckpointCheckTest, EverythingThatIsWrongIsListedUpToFive) {
  specs_.erase("model.layers.0.mlp.up_proj.weight");
  Set({"model.norm.weight", DType::kBf16, {9}});
  Set({"extra", DType::kBf16, {1}});
  EXPECT_THAT(
      std::string(Check().message()),
      testing::AllOf(HasSubstr("up_proj.weight is missing; tensor model.norm.weight has shape [9]"),
                     testing::EndsWith("; tensor extra is not part of a llama model of this config.json")));
  for (const char* name : {"extra1", "extra2", "extra3"}) Set({name, DType::kBf16, {1}});
  EXPECT_THAT(std::string(Check().message()), testing::EndsWith("; and 1 more"));
}

class TiedCheckpointCheckTest : public CheckpointCheckTest {
 protected:
  TiedCheckpointCheckTest() : CheckpointCheckTest(/*tied=*/true) {}
};

TEST_F(TiedCheckpointCheckTest, ACopyOfTheEmbeddingMayBeStoredAsHead) {
  EXPECT_TRUE(Check().ok()) << Check();
  Set({"lm_head.weight", DType::kBf16, {10, 8}});
  EXPECT_TRUE(Check().ok()) << Check();
}

TEST_F(TiedCheckpointCheckTest, AnotherHeadContradictsTheConfig) {
  Set({"lm_head.weight", DType::kBf16, {10, 8}}, 'x');
  ExpectInvalid("lm_head.weight differs from model.embed_tokens.weight");
  Set({"lm_head.weight", DType::kF32, {10, 8}});
  ExpectInvalid("lm_head.weight differs from model.embed_tokens.weight");
}

}  // namespace
}  // namespace heroq
