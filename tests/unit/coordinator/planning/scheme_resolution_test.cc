#include "coordinator/planning/scheme_resolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/model/config_reader.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/scheme_text.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelLayout Layout(int hidden, int intermediate) {
  const std::string config =
      absl::StrCat(R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        "vocab_size": 50, "max_position_embeddings": 64, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "hidden_size": )",
                   hidden, ", \"intermediate_size\": ", intermediate, "}");
  return *ParseModelConfig(config, "config.json");
}

v1::SchemeSpec Spec(int bits, int group_size) {
  v1::SchemeSpec spec;
  spec.set_weight_bits(bits);
  spec.set_group_size(group_size);
  return spec;
}

void Override(v1::SchemeSpec& spec, const std::string& pattern, std::optional<v1::SchemeSpec> scheme) {
  v1::SchemeOverride& entry = *spec.add_overrides();
  entry.set_pattern(pattern);
  if (scheme) {
    *entry.mutable_scheme() = *scheme;
  } else {
    entry.set_keep(true);
  }
}

// q, k, v, o, gate, up, down of block 0.
std::vector<std::string> FirstBlock(const ResolvedSchemes& schemes) {
  std::vector<std::string> texts;
  for (const auto& scheme : schemes.linears[0]) texts.push_back(scheme ? SchemeText(*scheme) : "kept");
  return texts;
}

TEST(SchemeResolutionTest, AutoGroupIsTheLargestThatDividesEveryInput) {
  // 576 = 9 * 64 takes 64 although 1536 = 12 * 128.
  EXPECT_EQ(ResolveSchemes(Spec(4, 0), Layout(576, 1536), 1)->linears[1][6]->group_size(), 64);
  EXPECT_EQ(ResolveSchemes(Spec(4, 0), Layout(256, 384), 1)->linears[0][0]->group_size(), 128);
  EXPECT_EQ(ResolveSchemes(Spec(4, 0), Layout(64, 96), 1)->linears[0][0]->group_size(), 32);
}

TEST(SchemeResolutionTest, QuantizedActivationsAskForSymmetricWeightsAndAtEightBitsForChannels) {
  v1::SchemeSpec spec = Spec(8, 0);
  spec.set_activation_bits(8);
  v1::SchemeSpec narrow;
  narrow.set_weight_bits(4);
  narrow.set_activation_bits(4);
  Override(spec, "down_proj", narrow);
  v1::SchemeSpec weights_only;
  weights_only.set_activation_bits(16);
  Override(spec, "o_proj", weights_only);
  const std::vector<std::string> texts = FirstBlock(*ResolveSchemes(spec, Layout(64, 96), 1));
  EXPECT_EQ(texts[0], "W8A8 per-channel symmetric");
  EXPECT_EQ(texts[3], "W8A16 g32 asymmetric");
  EXPECT_EQ(texts[6], "W4A4 g32 symmetric");
}

TEST(SchemeResolutionTest, LinearsThatAreFusedShareTheBitsOfTheirActivations) {
  v1::SchemeSpec spec = Spec(8, 32);
  v1::SchemeSpec eight;
  eight.set_activation_bits(8);
  eight.set_symmetry(v1::SYMMETRY_ASYMMETRIC);
  Override(spec, "q_proj", eight);
  const absl::Status status = ResolveSchemes(spec, Layout(64, 96), 1).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("W8A8 g32 asymmetric"));
}

TEST(SchemeResolutionTest, AutoSymmetryIsAsymmetricForFourAndEightBits) {
  for (const int bits : {2, 3, 5, 6, 7})
    EXPECT_TRUE(ResolveSchemes(Spec(bits, 32), Layout(64, 96), 1)->linears[0][0]->symmetric());
  for (const int bits : {4, 8})
    EXPECT_FALSE(ResolveSchemes(Spec(bits, 32), Layout(64, 96), 1)->linears[0][0]->symmetric());
}

TEST(SchemeResolutionTest, IndivisibleGroupsAreRefusedWithLinearsAndSizesThatWork) {
  const absl::Status status = ResolveSchemes(Spec(4, 64), Layout(64, 96), 1).status();
  EXPECT_TRUE(HasReason(status, Reason::kGroupSizeIndivisible));
  EXPECT_THAT(status.message(), HasSubstr("model.layers.0.mlp.down_proj (input 96) and 1 like it"));
  EXPECT_THAT(status.message(), HasSubstr("8, 16, 32 and channel (-1)"));
}

TEST(SchemeResolutionTest, NoAutoGroupIsRefusedWithSizesThatWork) {
  const absl::Status status = ResolveSchemes(Spec(4, 0), Layout(64, 80), 1).status();
  EXPECT_TRUE(HasReason(status, Reason::kGroupSizeIndivisible));
  EXPECT_THAT(status.message(), HasSubstr("8, 16 and channel (-1)"));
}

TEST(SchemeResolutionTest, TensorParallelDividesTheInputsOfOAndDown) {
  // A rank of two holds 192 = 3 * 64 of down's 384 inputs, so 128 does not fit any more.
  EXPECT_EQ(ResolveSchemes(Spec(4, 0), Layout(256, 384), 2)->linears[0][0]->group_size(), 64);
  const absl::Status status = ResolveSchemes(Spec(4, 0), Layout(256, 384), 3).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(status.message(), HasSubstr("4 attention heads"));
}

TEST(SchemeResolutionTest, TheFirstMatchingOverrideAppliesAndInheritsWhatItLeavesOpen) {
  v1::SchemeSpec spec = Spec(4, 32);
  Override(spec, "layers\\.1\\.", std::nullopt);
  Override(spec, "down_proj$", Spec(8, 0));
  Override(spec, "layers\\.\\d+\\.mlp\\.down", Spec(2, 0));
  const absl::StatusOr<ResolvedSchemes> schemes = ResolveSchemes(spec, Layout(64, 96), 1);
  ASSERT_TRUE(schemes.ok()) << schemes.status();
  const std::string base = "W4A16 g32 asymmetric";
  EXPECT_THAT(FirstBlock(*schemes), ElementsAre(base, base, base, base, base, base, "W8A16 g32 asymmetric"));
  EXPECT_FALSE(schemes->linears[1][6].has_value());
  EXPECT_EQ(schemes->kept.size(), 8u);
  EXPECT_EQ(schemes->kept.back().name(), "lm_head");
  EXPECT_THAT(schemes->kept.front().reason(), HasSubstr("layers\\.1\\."));
}

TEST(SchemeResolutionTest, OverridesThatSplitFusedLinearsAreRefusedWithTheirNames) {
  v1::SchemeSpec schemes_differ = Spec(4, 32);
  Override(schemes_differ, "v_proj", Spec(8, 0));
  absl::Status status = ResolveSchemes(schemes_differ, Layout(64, 96), 1).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(status.message(), HasSubstr("model.layers.0.self_attn.q_proj (W4A16 g32 asymmetric) and "
                                          "model.layers.0.self_attn.v_proj (W8A16 g32 asymmetric)"));
  v1::SchemeSpec one_kept = Spec(4, 32);
  Override(one_kept, "gate_proj", std::nullopt);
  status = ResolveSchemes(one_kept, Layout(64, 96), 1).status();
  EXPECT_THAT(status.message(), HasSubstr("gate_proj (kept)"));
}

TEST(SchemeResolutionTest, PatternsThatMatchNothingAreRefused) {
  v1::SchemeSpec spec = Spec(4, 32);
  Override(spec, "experts", std::nullopt);
  Override(spec, "lm_head", std::nullopt);
  Override(spec, "^lm_head", Spec(8, 0));
  const absl::Status status = ResolveSchemes(spec, Layout(64, 96), 1).status();
  EXPECT_THAT(ErrorMetadata(status), ElementsAre(testing::Key("field:scheme.overrides[0].pattern"),
                                                 testing::Key("field:scheme.overrides[2].pattern")));
}

TEST(SchemeResolutionTest, EverythingThatIsWrongIsListedAtOnce) {
  v1::SchemeSpec spec = Spec(4, 0);
  Override(spec, "experts", std::nullopt);
  Override(spec, "v_proj", Spec(8, 0));
  const absl::Status status = ResolveSchemes(spec, Layout(64, 80), 3).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(ErrorMetadata(status),
              ElementsAre(testing::Pair("field:scheme.group_size", HasSubstr("8, 16 and channel (-1)")),
                          testing::Pair("field:scheme.overrides", HasSubstr("v_proj (W8 group auto)")),
                          testing::Key("field:scheme.overrides[0].pattern"),
                          testing::Key("field:target_tensor_parallel")));
}

TEST(SchemeResolutionTest, KeepingEverythingIsRefused) {
  v1::SchemeSpec spec = Spec(4, 32);
  Override(spec, ".", std::nullopt);
  EXPECT_TRUE(HasReason(ResolveSchemes(spec, Layout(64, 96), 1).status(), Reason::kInvalidSpec));
}

TEST(SchemeResolutionTest, AutoLooksOnlyAtLinearsThatLeaveTheSizeOpen) {
  // 80 has no multiple of 32, but down is per channel.
  v1::SchemeSpec spec = Spec(4, 0);
  Override(spec, "down_proj", Spec(0, -1));
  const absl::StatusOr<ResolvedSchemes> schemes = ResolveSchemes(spec, Layout(64, 80), 1);
  ASSERT_TRUE(schemes.ok()) << schemes.status();
  EXPECT_EQ(schemes->linears[0][0]->group_size(), 64);
  EXPECT_EQ(schemes->linears[0][6]->group_size(), -1);
}

}  // namespace
}  // namespace heroq
