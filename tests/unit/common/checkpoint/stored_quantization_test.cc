#include "common/checkpoint/stored_quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr char kLinear[] = "model.layers.0.mlp.up_proj";
constexpr char kGptq[] = R"({"quant_method": "gptq", "bits": 4, "group_size": 32, "sym": true})";

class StoredQuantizationTest : public testing::Test {
 protected:
  StoredQuantizationTest() { EXPECT_TRUE(files_.CreateDirectories("/m").ok()); }

  absl::StatusOr<std::optional<StoredQuantization>> Read(const std::string& quantization) {
    return StoredQuantization::Read(
        files_, "/m", quantization.empty() ? "{}" : R"({"quantization_config": )" + quantization + "}");
  }
  void WriteGptqFile(const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(files_, "/m/quantize_config.json", text).ok());
  }

  MemoryFileSystem files_;
};

TEST_F(StoredQuantizationTest, AModelWithoutConfigurationIsDense) {
  const auto stored = Read("");
  ASSERT_TRUE(stored.ok());
  EXPECT_FALSE(stored->has_value());
}

TEST_F(StoredQuantizationTest, TheMethodDecidesWhoReadsTheConfiguration) {
  EXPECT_EQ((*Read(kGptq))->method(), "gptq");
  EXPECT_EQ((*Read(kGptq))->StorageOf(kLinear)->format, LinearFormat::kGptq);
  const auto packed = Read(R"({"quant_method": "compressed-tensors", "format": "int-quantized",
      "quantization_status": "compressed", "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
      "num_bits": 8, "type": "int", "symmetric": true, "strategy": "channel"}, "input_activations": {
      "num_bits": 8, "type": "int", "dynamic": true}}}})");
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ((*packed)->method(), "compressed-tensors");
  EXPECT_EQ((*packed)->StorageOf(kLinear)->format, LinearFormat::kIntQuantized);
  EXPECT_EQ((*packed)->StorageOf(kLinear)->scheme.activation_bits, 8);
}

TEST_F(StoredQuantizationTest, AFileOfItsOwnCountsWhereConfigJsonSaysNothing) {
  WriteGptqFile(R"({"bits": 8, "group_size": -1, "desc_act": false, "sym": true})");
  EXPECT_EQ((*Read(""))->StorageOf(kLinear)->scheme.weight_bits, 8);
}

TEST_F(StoredQuantizationTest, TwoConfigurationsMustAgree) {
  WriteGptqFile(R"({"bits": 4, "group_size": 32, "sym": true, "desc_act": false})");
  EXPECT_TRUE(Read(kGptq).ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/m/quantization_config.json", R"({"bits": 3})").ok());
  EXPECT_TRUE(HasReason(Read(kGptq).status(), Reason::kModelInvalid));
  WriteGptqFile(R"({"bits": 4, "group_size": 64, "sym": true})");
  const absl::Status status = Read(kGptq).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/m/quantize_config.json: group_size is 64"));
}

TEST_F(StoredQuantizationTest, OtherMethodsAreNamed) {
  const absl::Status status = Read(R"({"quant_method": "awq"})").status();
  EXPECT_TRUE(HasReason(status, Reason::kUnsupported));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/m/config.json: quantization_config.quant_method"));
}

}  // namespace
}  // namespace heroq
