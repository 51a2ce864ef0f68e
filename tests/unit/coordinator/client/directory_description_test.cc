#include "coordinator/client/directory_description.h"

#include <gtest/gtest.h>

#include "common/checkpoint/safetensors_writer.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "coordinator/client/yaml_text.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

constexpr char kConfig[] =
    R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
  "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
  "vocab_size": 32, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "hidden_act": "silu",
  "tie_word_embeddings": true, "torch_dtype": "bfloat16")";
constexpr char kPacked[] =
    R"(, "quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
  "quantization_status": "compressed", "ignore": ["lm_head"], "config_groups": {"group_0": {"targets": ["Linear"],
  "format": "pack-quantized", "weights": {"num_bits": 4, "type": "int", "symmetric": true, "strategy": "group",
  "group_size": 32, "dynamic": false}}}})";

class DirectoryDescriptionTest : public ::testing::Test {
 protected:
  // Every tensor of the model; linears as bfloat16, or as packed codes and scales of W4 group 32.
  void WriteModel(bool packed) {
    const std::string config = std::string(kConfig) + (packed ? kPacked : "") + "}";
    ASSERT_TRUE(files_.CreateDirectories("/m").ok());
    ASSERT_TRUE(WriteFileAtomically(files_, "/m/config.json", config).ok());
    const auto layout = ParseQuantizedModelConfig(config, "config.json");
    ASSERT_TRUE(layout.ok()) << layout.status();
    std::vector<TensorSpec> specs;
    for (const TensorLayout& tensor : layout->Tensors()) {
      if (packed && tensor.shape.size() == 2 && tensor.name != layout->embedding_name) {
        const std::string module = tensor.name.substr(0, tensor.name.rfind('.'));
        specs.push_back({module + ".weight_packed", DType::kI32, {tensor.shape[0], tensor.shape[1] / 8}});
        specs.push_back({module + ".weight_scale", DType::kBf16, {tensor.shape[0], tensor.shape[1] / 32}});
        specs.push_back({module + ".weight_shape", DType::kI64, {2}});
      } else {
        specs.push_back({tensor.name, DType::kBf16, tensor.shape});
      }
    }
    std::vector<std::string> data;
    for (const TensorSpec& spec : specs) data.emplace_back(static_cast<std::size_t>(spec.bytes()), '\0');
    std::vector<NamedBytes> tensors;
    for (std::size_t i = 0; i < specs.size(); ++i) tensors.push_back({specs[i], data[i]});
    const auto bytes = SerializeSafetensors(tensors);
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(WriteFileAtomically(files_, "/m/model.safetensors", *bytes).ok());
  }

  MemoryFileSystem files_;
};

TEST_F(DirectoryDescriptionTest, DenseModel) {
  WriteModel(false);
  const auto description = DescribeDirectory(files_, "/m");
  ASSERT_TRUE(description.ok()) << description.status();
  // q 64x64, k and v 32x64, o 64x64, gate and up 128x64, down 64x128.
  EXPECT_EQ(FormatDescription(*description),
            "directory       /m\n"
            "family          llama\n"
            "blocks          1, hidden size 64, intermediate size 128\n"
            "attention       4 heads of 16, 2 key/value heads, 256 positions\n"
            "vocabulary      32, head tied to the embedding\n"
            "weights         78.2 kB in 11 tensors of 1 file(s), bf16\n"
            "\n"
            "SCHEME           FORMAT  LINEARS  PARAMETERS     SIZE  BITS/WEIGHT\n"
            "bf16             dense         7       36864  73.7 kB        16.00\n"
            "everything else  -             -           -  4.48 kB            -\n");
}

TEST_F(DirectoryDescriptionTest, PackedCheckpoint) {
  WriteModel(true);
  const auto description = DescribeDirectory(files_, "/m");
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_TRUE(description->quantized);
  ASSERT_EQ(description->linears.size(), 1u);
  EXPECT_EQ(description->method, "compressed-tensors");
  EXPECT_EQ(description->linears[0].scheme, "W4 group 32 symmetric");
  EXPECT_EQ(description->linears[0].format, "pack-quantized");
  // Half a byte a weight, two bytes of scale for 32 weights, 16 bytes of shape for each linear.
  EXPECT_EQ(description->linears[0].bytes, 36864 / 2 + 36864 / 32 * 2 + 7 * 16);
  EXPECT_EQ(description->other_bytes, 32 * 64 * 2 + 3 * 64 * 2);
}

TEST_F(DirectoryDescriptionTest, JsonHasTheNumbers) {
  WriteModel(false);
  const auto description = DescribeDirectory(files_, "/m");
  ASSERT_TRUE(description.ok());
  const std::string yaml = JsonToYaml(DescriptionJson(*description));
  EXPECT_NE(yaml.find("kv_head_count: 2\n"), std::string::npos);
  EXPECT_NE(yaml.find("    parameters: 36864\n"), std::string::npos);
}

TEST_F(DirectoryDescriptionTest, DirectoriesThatAreNoModelsAreNamed) {
  const auto description = DescribeDirectory(files_, "/none");
  EXPECT_TRUE(HasReason(description.status(), Reason::kModelNotFound));
  EXPECT_NE(description.status().message().find("/none"), std::string::npos);
}

}  // namespace
}  // namespace heroq
