#include "common/checkpoint/gptq_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

constexpr char kLinear[] = "model.layers.3.mlp.up_proj";
const std::string kPath = "config.json";

absl::StatusOr<GptqConfig> Parse(const char* extra = "{}") {
  nlohmann::json config = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 64}, {"sym", true}};
  config.update(nlohmann::json::parse(extra));
  return GptqConfig::Parse(config, kPath);
}

LinearStorage StorageOf(const char* extra, const std::string& linear = kLinear) {
  const absl::StatusOr<GptqConfig> config = Parse(extra);
  EXPECT_TRUE(config.ok()) << config.status();
  return config->StorageOf(linear).value();
}

TEST(GptqConfigTest, SaysHowEveryLinearIsStored) {
  const LinearStorage storage = StorageOf("{}");
  EXPECT_EQ(storage.format, LinearFormat::kGptq);
  EXPECT_EQ(storage.scheme.weight_bits, 4);
  EXPECT_EQ(storage.scheme.group_size, 64);
  EXPECT_TRUE(storage.scheme.symmetric);
  EXPECT_EQ(storage.group_index, GroupIndex::kAllowed);
  EXPECT_FALSE(storage.signed_scales);
}

TEST(GptqConfigTest, KnowsBothVersionsUnderBothNamesOfTheField) {
  EXPECT_EQ(StorageOf(R"({"checkpoint_format": "gptq_v2"})").format, LinearFormat::kGptqV2);
  EXPECT_EQ(StorageOf(R"({"format": "gptq_v2"})").format, LinearFormat::kGptqV2);
  EXPECT_EQ(StorageOf(R"({"checkpoint_format": "gptq", "format": "gptq_v2"})").format, LinearFormat::kGptq);
}

TEST(GptqConfigTest, ActivationOrderAllowsAnyOrderOfGroups) {
  EXPECT_EQ(StorageOf(R"({"desc_act": true})").group_index, GroupIndex::kAnyOrder);
}

TEST(GptqConfigTest, OverridesNameLinearsFromTheStartOfTheirNames) {
  constexpr char kDynamic[] =
      R"({"dynamic": {"+:.*up_proj": {"bits": 8, "sym": false}, ".*down_proj": {"group_size": -1}, "-:.*gate_proj": {},
          "+:up_proj": {"bits": 2}}})";
  EXPECT_EQ(StorageOf(kDynamic).scheme.weight_bits, 8);
  EXPECT_EQ(StorageOf(kDynamic).scheme.group_size, 64);
  EXPECT_FALSE(StorageOf(kDynamic).scheme.symmetric);
  EXPECT_EQ(StorageOf(kDynamic, "model.layers.3.mlp.down_proj").scheme.group_size, kPerChannel);
  EXPECT_FALSE(Parse(kDynamic)->StorageOf("model.layers.3.mlp.gate_proj").has_value());
}

TEST(GptqConfigTest, ListsOfQuantizedModulesLeaveTheOthersDense) {
  constexpr char kLists[] = R"({"modules_in_block_to_quantize": [["self_attn.q_proj"], ["mlp.up_proj"]]})";
  EXPECT_TRUE(Parse(kLists)->StorageOf(kLinear).has_value());
  EXPECT_FALSE(Parse(kLists)->StorageOf("model.layers.3.mlp.down_proj").has_value());
}

TEST(GptqConfigTest, AutoRoundsOwnConfigurationMayNameOtherBitsAndDenseLinears) {
  constexpr char kAutoRound[] =
      R"({"quant_method": "auto-round", "packing_format": "auto_round:auto_gptq", "extra_config": {
          "model.layers.3.mlp.up_proj": {"bits": 3}, ".*layers\\.5.*": {"bits": 16}}})";
  EXPECT_EQ(StorageOf(kAutoRound).scheme.weight_bits, 3);
  EXPECT_TRUE(StorageOf(kAutoRound).signed_scales);
  EXPECT_EQ(StorageOf(kAutoRound).format, LinearFormat::kGptq);
  EXPECT_FALSE(Parse(kAutoRound)->StorageOf("model.layers.5.mlp.up_proj").has_value());
  EXPECT_EQ(StorageOf(R"({"quant_method": "auto-round", "packing_format": "auto_round:gptqmodel"})").format,
            LinearFormat::kGptqV2);
}

TEST(GptqConfigTest, WhatIsNotUnderstoodIsNamed) {
  const auto expect_refused = [](const char* extra, const std::string& field) {
    const absl::Status status = Parse(extra).status();
    EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << extra << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("config.json: quantization_config." + field));
  };
  expect_refused(R"({"quant_method": "awq"})", "quant_method is \"awq\"");
  expect_refused(R"({"bits": 5})", "bits is 5");
  expect_refused(R"({"bits": null})", "bits is null");
  expect_refused(R"({"group_size": 0})", "group_size is 0");
  expect_refused(R"({"sym": 1})", "sym is 1");
  expect_refused(R"({"desc_act": "no"})", "desc_act");
  expect_refused(R"({"checkpoint_format": "marlin"})", "checkpoint_format is \"marlin\"");
  expect_refused(R"({"pack_dtype": "int64"})", "pack_dtype");
  expect_refused(R"({"lm_head": true})", "lm_head is true");
  expect_refused(R"({"dynamic": []})", "dynamic");
  expect_refused(R"({"dynamic": {"+:a[": {}}})", "dynamic");
  expect_refused(R"({"dynamic": {"+:a": {"bits": 6}}})", "dynamic.bits is 6");
  expect_refused(R"({"modules_in_block_to_quantize": ["q"]})", "modules_in_block_to_quantize");
  expect_refused(R"({"quant_method": "auto-round", "packing_format": "auto_round:auto_awq"})",
                 "packing_format");
  expect_refused(R"({"extra_config": {"a": 4}})", "extra_config");
}

}  // namespace
}  // namespace heroq
