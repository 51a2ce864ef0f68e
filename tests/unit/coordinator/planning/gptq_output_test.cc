#include "coordinator/planning/gptq_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/checkpoint/gptq_config.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

v1::LinearScheme Scheme(int bits, int group_size, bool symmetric) {
  v1::LinearScheme scheme;
  scheme.set_weight_bits(bits);
  scheme.set_group_size(group_size);
  scheme.set_symmetric(symmetric);
  scheme.set_activation_bits(16);
  scheme.set_scale_type(v1::SCALE_TYPE_BF16);
  return scheme;
}

// What is refused about a model of one linear.
std::string Refusal(const std::string& format, const v1::LinearScheme& scheme, int64_t out = 64,
                    int64_t in = 128, int tensor_parallel = 1) {
  ModelLayout layout;
  LinearLayout& linear = layout.blocks.emplace_back().linears.emplace_back();
  linear.name = "l";
  linear.out_features = out;
  linear.in_features = in;
  linear.input = LinearInput::kMlpIn;
  ResolvedSchemes schemes;
  schemes.linears = {{scheme}};
  SpecViolations violations;
  ApplyGptqFormat(format, layout, tensor_parallel, schemes, violations);
  EXPECT_EQ(schemes.linears[0][0]->scale_type(), v1::SCALE_TYPE_F16);
  return std::string(violations.ToStatus().message());
}

TEST(GptqOutputTest, WhatLoadersTakePasses) {
  for (const int bits : {2, 3, 4, 8}) {
    EXPECT_EQ(Refusal("gptq", Scheme(bits, 64, true)), "");
    EXPECT_EQ(Refusal("gptq_v2", Scheme(bits, -1, false)), "");
  }
}

TEST(GptqOutputTest, WhatTheyDoNotIsRefusedNamingTheLinear) {
  EXPECT_THAT(Refusal("gptq", Scheme(6, 64, true)),
              HasSubstr("output.format is gptq, which cannot hold l: 6 bits, expected 2, 3, 4 or 8"));
  EXPECT_THAT(Refusal("gptq", Scheme(4, 64, false)), HasSubstr("expected gptq_v2, or symmetric"));
  EXPECT_THAT(Refusal("gptq_v2", Scheme(4, 48, false), 64, 96), HasSubstr("group size 48, expected"));
  EXPECT_THAT(Refusal("gptq_v2", Scheme(4, -1, false), 40), HasSubstr("128 inputs and 40 outputs, expected"));
  EXPECT_THAT(Refusal("gptq_v2", Scheme(4, -1, false), 64, 100), HasSubstr("100 inputs and 64 outputs"));
  EXPECT_THAT(Refusal("gptq_v2", Scheme(4, -1, false), 96, 128, 2), HasSubstr("48 outputs a rank, expected"));
  v1::LinearScheme scheme = Scheme(8, -1, true);
  scheme.set_activation_bits(8);
  EXPECT_THAT(Refusal("gptq", scheme), HasSubstr("activations are quantized"));
}

TEST(GptqOutputTest, TheConfigurationSaysHowEveryLinearIsStored) {
  v1::Plan plan;
  v1::PlannedUnit& unit = *plan.add_units();
  const auto add = [&](const std::string& name, const v1::LinearScheme& scheme) {
    v1::PlannedLinear& linear = *unit.add_linears();
    linear.set_name(name);
    *linear.mutable_scheme() = scheme;
  };
  add("model.layers.0.self_attn.q_proj", Scheme(3, 32, false));
  add("model.layers.0.self_attn.o_proj", Scheme(4, 64, true));
  add("model.layers.0.mlp.down_proj", Scheme(8, -1, true));
  add("model.layers.10.self_attn.q_proj", Scheme(4, 64, true));
  plan.add_kept()->set_name("model.layers.1.mlp.gate_proj");
  plan.add_kept()->set_name("lm_head");
  const auto json = nlohmann::json::parse(GptqConfigJson(plan, "gptq_v2"));
  EXPECT_EQ(json["dynamic"].size(), 3u) << json;
  const auto config = GptqConfig::Parse(json, "config.json");
  ASSERT_TRUE(config.ok()) << config.status();
  for (const v1::PlannedLinear& linear : unit.linears()) {
    const auto storage = config->StorageOf(linear.name());
    ASSERT_TRUE(storage.has_value()) << linear.name();
    EXPECT_EQ(ToString(storage->scheme), SchemeText(linear.scheme())) << linear.name();
    EXPECT_EQ(storage->format, LinearFormat::kGptqV2);
  }
  EXPECT_FALSE(config->StorageOf("model.layers.1.mlp.gate_proj").has_value());
  // The names of what loaders fuse.
  EXPECT_FALSE(config->StorageOf("model.layers.1.mlp.gate_up_proj").has_value());
  EXPECT_EQ(config->StorageOf("model.layers.0.self_attn.qkv_proj")->scheme.weight_bits, 3);
  EXPECT_EQ(config->StorageOf("model.layers.10.self_attn.qkv_proj")->scheme.weight_bits, 4);
}

}  // namespace
}  // namespace heroq
