#include "coordinator/planning/quantization_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

using nlohmann::json;

v1::LinearScheme Scheme(int bits, int group_size, bool symmetric) {
  v1::LinearScheme scheme;
  scheme.set_weight_bits(bits);
  scheme.set_group_size(group_size);
  scheme.set_symmetric(symmetric);
  scheme.set_activation_bits(16);
  scheme.set_scale_type(v1::SCALE_TYPE_BF16);
  return scheme;
}

// Two blocks of o_proj and down_proj.
v1::Plan PlanWith(const v1::LinearScheme& o0, const v1::LinearScheme& o1, const v1::LinearScheme& down) {
  v1::Plan plan;
  for (int block = 0; block < 2; ++block) {
    v1::PlannedUnit& unit = *plan.add_units();
    v1::PlannedLinear& o = *unit.add_linears();
    o.set_name(absl::StrCat("model.layers.", block, ".self_attn.o_proj"));
    *o.mutable_scheme() = block == 0 ? o0 : o1;
    v1::PlannedLinear& down_proj = *unit.add_linears();
    down_proj.set_name(absl::StrCat("model.layers.", block, ".mlp.down_proj"));
    *down_proj.mutable_scheme() = down;
  }
  plan.add_kept()->set_name("lm_head");
  plan.mutable_method()->mutable_gptq()->set_act_order(true);
  return plan;
}

TEST(QuantizationConfigTest, OneSchemeTargetsEveryLinear) {
  const v1::LinearScheme scheme = Scheme(4, 64, false);
  // Written out from the format's description, not from our output.
  const json expected = json::parse(R"({
    "quant_method": "compressed-tensors", "version": "0.19.0", "format": "pack-quantized",
    "quantization_status": "compressed", "global_compression_ratio": null, "ignore": ["lm_head"],
    "kv_cache_scheme": null, "sparsity_config": {}, "transform_config": {},
    "config_groups": {"group_0": {
      "targets": ["Linear"], "format": "pack-quantized", "input_activations": null, "output_activations": null,
      "weights": {"num_bits": 4, "type": "int", "symmetric": false, "strategy": "group", "group_size": 64,
                  "block_structure": null, "dynamic": false, "actorder": "weight", "observer": "minmax",
                  "observer_kwargs": {}}}}})");
  EXPECT_EQ(json::parse(QuantizationConfigJson(PlanWith(scheme, scheme, scheme))), expected);
}

TEST(QuantizationConfigTest, SeveralSchemesTargetPatternsWhereTheyCoverAKindAndNamesElsewhere) {
  const v1::Plan plan = PlanWith(Scheme(4, 64, false), Scheme(8, 64, false), Scheme(3, -1, true));
  const json groups = json::parse(QuantizationConfigJson(plan))["config_groups"];
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups["group_0"]["targets"], json({"model.layers.0.self_attn.o_proj"}));
  EXPECT_EQ(groups["group_1"]["targets"], json({R"(re:^model\.layers\.\d+\.mlp\.down_proj$)"}));
  EXPECT_EQ(groups["group_2"]["targets"], json({"model.layers.1.self_attn.o_proj"}));
  EXPECT_EQ(groups["group_1"]["weights"]["strategy"], "channel");
  EXPECT_TRUE(groups["group_1"]["weights"]["group_size"].is_null());
}

TEST(QuantizationConfigTest, QuantizedActivationsAreSaidByTheGroupThatHasThem) {
  v1::LinearScheme eight = Scheme(8, -1, true);
  eight.set_activation_bits(6);
  const v1::Plan mixed = PlanWith(Scheme(4, 64, false), Scheme(4, 64, false), eight);
  const json config = json::parse(QuantizationConfigJson(mixed));
  EXPECT_EQ(config["format"], "mixed-precision");
  EXPECT_EQ(config["config_groups"]["group_0"]["format"], "pack-quantized");
  EXPECT_TRUE(config["config_groups"]["group_0"]["input_activations"].is_null());
  const json& group = config["config_groups"]["group_1"];
  EXPECT_EQ(group["format"], "int-quantized");
  // Written out from the format's description, not from our output.
  EXPECT_EQ(group["input_activations"], json::parse(R"({
    "num_bits": 6, "type": "int", "symmetric": true, "strategy": "token", "group_size": null, "dynamic": true,
    "block_structure": null, "actorder": null, "observer": null, "observer_kwargs": {}})"));
  EXPECT_EQ(CheckpointFormat(PlanWith(eight, eight, eight)), "int-quantized");
}

TEST(QuantizationConfigTest, ConfigKeepsItsBytesAndGainsOneMember) {
  const absl::StatusOr<std::string> added =
      AddQuantizationConfig("{\n  \"a\": 1e-05,\n  \"b\": [1,2]\n}\n", "{\"x\":{}}");
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(*added,
            "{\n  \"a\": 1e-05,\n  \"b\": [1,2],\n  \"quantization_config\": {\n    \"x\": {}\n  }\n}\n");
  EXPECT_EQ(*AddQuantizationConfig("{}", "{}"), "{\n  \"quantization_config\": {}\n}\n");
}

TEST(QuantizationConfigTest, AHeadOfItsOwnIsSaidInTheConfig) {
  const json untied = json::parse(*UntieHead(R"({"tie_word_embeddings": true, "rms_norm_eps": 1e-05})"));
  EXPECT_EQ(untied, json({{"tie_word_embeddings", false}, {"rms_norm_eps", 1e-05}}));
  EXPECT_FALSE(UntieHead("[]").ok());
}

TEST(QuantizationConfigTest, TheOrderOfColumnsIsThatOfTheBaseMethod) {
  v1::Plan plan = PlanWith(Scheme(4, 64, true), Scheme(4, 64, true), Scheme(4, 64, true));
  plan.mutable_method()->mutable_hero_q()->mutable_gptq()->set_act_order(true);
  const auto order = [&] {
    return json::parse(QuantizationConfigJson(plan))["config_groups"]["group_0"]["weights"]["actorder"];
  };
  EXPECT_EQ(order(), "weight");
  plan.mutable_method()->mutable_hero_q()->mutable_rtn();
  EXPECT_TRUE(order().is_null());
}

}  // namespace
}  // namespace heroq
