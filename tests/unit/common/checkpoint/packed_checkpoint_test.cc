#include "common/checkpoint/packed_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

std::string Group(const std::string& targets, int bits) {
  return absl::StrCat(R"({"targets": [)", targets,
                      R"(], "format": "pack-quantized", "input_activations": null,
      "output_activations": null, "weights": {"num_bits": )",
                      bits, R"(, "type": "int", "symmetric": false, "strategy": "group", "group_size": 32,
      "actorder": "static", "dynamic": false}})");
}

std::string Config() {
  return absl::StrCat(
      R"({"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
      "quantization_status": "compressed", "kv_cache_scheme": null, "sparsity_config": {}, "transform_config": {},
      "ignore": ["lm_head", "re:.*layers\\.7\\."], "config_groups": {
      "a": )",
      Group(R"("Linear")", 2), R"(, "b": )", Group(R"("re:.*mlp", "re:.*gate")", 3), R"(, "c": )",
      Group(R"("model.layers.0.mlp.up_proj")", 4), "}}}");
}

absl::StatusOr<std::optional<PackedCheckpoint>> Parse(const std::string& from = "",
                                                      const std::string& to = "") {
  std::string text = Config();
  if (!from.empty()) text = absl::StrReplaceAll(text, {{from, to}});
  return PackedCheckpoint::Parse(text, "config.json");
}

int BitsOf(const std::string& name) {
  const auto scheme = Parse().value()->SchemeOf(name);
  return scheme ? scheme->weight_bits : 0;
}

TEST(PackedCheckpointTest, NamesComeBeforePatternsBeforeTheClass) {
  EXPECT_EQ(BitsOf("model.layers.0.mlp.up_proj"), 4);
  EXPECT_EQ(BitsOf("model.layers.1.mlp.up_proj"), 3);
  EXPECT_EQ(BitsOf("model.layers.1.self_attn.q_proj"), 2);
}

TEST(PackedCheckpointTest, IgnoredLinearsAreDense) {
  EXPECT_EQ(BitsOf("lm_head"), 0);
  EXPECT_EQ(BitsOf("model.layers.7.mlp.up_proj"), 0);
}

TEST(PackedCheckpointTest, PatternsMatchFromTheStartOfTheName) {
  const auto checkpoint = Parse(R"(re:.*mlp)", R"(re:mlp)").value();
  EXPECT_EQ(checkpoint->SchemeOf("model.layers.1.mlp.up_proj")->weight_bits, 2);
}

TEST(PackedCheckpointTest, PatternsTakeTimeLinearInTheName) {
  // Backtracking would take longer than the universe.
  const auto checkpoint = Parse(R"(re:.*mlp)", R"(re:(.*a*)*(.*)*!)").value();
  EXPECT_EQ(checkpoint->SchemeOf(std::string(1000, 'a'))->weight_bits, 2);
}

TEST(PackedCheckpointTest, AConfigWithoutQuantizationIsDense) {
  const auto checkpoint = PackedCheckpoint::Parse(R"({"model_type": "llama"})", "config.json");
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_FALSE(checkpoint->has_value());
}

TEST(PackedCheckpointTest, WhatIsNotUnderstoodIsNamed) {
  const auto expect_refused = [](const std::string& from, const std::string& to, const std::string& field) {
    const absl::Status status = Parse(from, to).status();
    EXPECT_TRUE(HasReason(status, Reason::kUnsupported)) << from << " -> " << to << ": " << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("config.json: quantization_config.", field)));
  };
  expect_refused(R"("compressed-tensors")", R"("awq")", "quant_method is \"awq\"");
  expect_refused(R"("compressed",)", R"("frozen",)", "quantization_status");
  expect_refused(R"("kv_cache_scheme": null)", R"("kv_cache_scheme": {})", "kv_cache_scheme");
  expect_refused(R"("sparsity_config": {})", R"("sparsity_config": {"format": "bitmask"})",
                 "sparsity_config");
  expect_refused(R"("transform_config": {})", R"("transform_config": {"config_groups": {"R": {}}})",
                 "transform_config");
  expect_refused(R"("num_bits": 3)", R"("num_bits": 9)", "config_groups.b.weights.num_bits is 9");
  expect_refused(R"("num_bits": 3)", R"("num_bits": "3")", "config_groups.b.weights.num_bits");
  expect_refused(R"("type": "int")", R"("type": "float")", "config_groups.a.weights.type");
  expect_refused(R"("strategy": "group")", R"("strategy": "tensor")", "config_groups.a.weights.strategy");
  expect_refused(R"("actorder": "static")", R"("actorder": "group")", "config_groups.a.weights.actorder");
  expect_refused(R"("group_size": 32)", R"("group_size": 0)", "config_groups.a.weights.group_size");
  expect_refused(R"("input_activations": null)", R"("input_activations": {})",
                 "config_groups.a.input_activations");
  expect_refused(R"(["Linear"])", R"("Linear")", "config_groups.a.targets");
  expect_refused(R"(re:.*mlp)", R"(re:*mlp[)", "targets");
}

TEST(PackedCheckpointTest, ActivationsAreComputedWithOneSymmetricScalePerToken) {
  const auto parse = [](const std::string& activations) {
    return Parse(R"("pack-quantized", "input_activations": null)",
                 absl::StrCat(R"("int-quantized", "input_activations": )", activations));
  };
  const auto checkpoint =
      parse(R"({"num_bits": 6, "type": "int", "dynamic": true, "symmetric": true, "strategy": "token"})");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const LinearStorage storage = (*checkpoint)->StorageOf("model.layers.0.mlp.up_proj").value();
  EXPECT_EQ(storage.format, LinearFormat::kIntQuantized);
  EXPECT_EQ(storage.scheme.activation_bits, 6);
  for (const char* other :
       {R"({"num_bits": 8, "type": "int", "dynamic": true, "symmetric": false, "strategy": "token"})",
        R"({"num_bits": 8, "type": "int", "dynamic": true, "symmetric": true, "strategy": "tensor"})",
        R"({"num_bits": 8, "type": "int", "dynamic": false, "symmetric": true, "strategy": "token"})",
        R"({"num_bits": 8, "type": "float", "dynamic": true, "symmetric": true, "strategy": "token"})"}) {
    EXPECT_TRUE(HasReason(parse(other).status(), Reason::kUnsupported)) << other;
  }
}

TEST(PackedCheckpointTest, WhatIsOnlyCheckedMayBeStoredInMoreWays) {
  const std::string text = absl::StrReplaceAll(
      Config(),
      {{R"("actorder": "static")", R"("actorder": "group")"},
       {R"("pack-quantized", "input_activations": null)",
        R"("int-quantized", "input_activations": {"num_bits": 8, "type": "int", "dynamic": true})"}});
  EXPECT_TRUE(HasReason(PackedCheckpoint::Parse(text, "config.json").status(), Reason::kUnsupported));
  const auto checkpoint = PackedCheckpoint::Parse(text, "config.json", PackedScope::kStored);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const LinearStorage storage = (*checkpoint)->StorageOf("model.layers.0.mlp.up_proj").value();
  EXPECT_EQ(storage.format, LinearFormat::kIntQuantized);
  EXPECT_EQ(storage.group_index, GroupIndex::kAnyOrder);
  EXPECT_EQ(storage.scheme.activation_bits, 8);
}

TEST(PackedCheckpointTest, OldPackingsOfOddWidthsAreRefused) {
  const auto refused = [](const std::string& version) {
    return !Parse(R"("quant_method")", R"("version": ")" + version + R"(", "quant_method")").ok();
  };
  EXPECT_TRUE(refused("0.16.2")) << "one group has 3 bits";
  EXPECT_FALSE(refused("0.17.0"));
  EXPECT_FALSE(refused("1.0.0"));
}

}  // namespace
}  // namespace heroq
