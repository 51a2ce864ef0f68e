#include "worker/agent/method_proto.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(MethodProtoTest, UnsetParametersTakeTheDocumentedDefaults) {
  v1::MethodSpec spec;
  spec.mutable_gptq();
  const GptqOptions gptq = std::get<GptqOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(gptq.damping, 0.01);
  EXPECT_TRUE(gptq.act_order);
  EXPECT_TRUE(gptq.scale_search);
  spec.mutable_rtn();
  EXPECT_TRUE(std::get<RtnOptions>(MethodOptionsOf(spec, 0).value()).scale_search);
  spec.mutable_dash_q();
  const DashQOptions dash_q = std::get<DashQOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(dash_q.rounds, 9);
  EXPECT_FALSE(dash_q.damped);
}

TEST(MethodProtoTest, SetParametersAreTaken) {
  v1::MethodSpec spec;
  spec.mutable_gptq()->set_damping(0.5);
  spec.mutable_gptq()->set_act_order(false);
  spec.mutable_gptq()->set_scale_search(false);
  const GptqOptions gptq = std::get<GptqOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(gptq.damping, 0.5);
  EXPECT_FALSE(gptq.act_order);
  EXPECT_FALSE(gptq.scale_search);
  spec.mutable_rtn()->set_scale_search(false);
  EXPECT_FALSE(std::get<RtnOptions>(MethodOptionsOf(spec, 0).value()).scale_search);
  spec.mutable_dash_q()->set_rounds(3);
  spec.mutable_dash_q()->set_damped(true);
  const DashQOptions dash_q = std::get<DashQOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(dash_q.rounds, 3);
  EXPECT_TRUE(dash_q.damped);
}

TEST(MethodProtoTest, AwqIsAMethodAndABase) {
  v1::MethodSpec spec;
  spec.mutable_awq();
  EXPECT_EQ(std::get<AwqOptions>(MethodOptionsOf(spec, 0).value()).steps, 20);
  EXPECT_TRUE(std::get<AwqOptions>(MethodOptionsOf(spec, 0).value()).scale_search);
  spec.mutable_awq()->set_steps(0);
  EXPECT_TRUE(HasReason(MethodOptionsOf(spec, 0).status(), Reason::kInvalidSpec));
  v1::HeroQParameters& hero_q = *spec.mutable_hero_q();
  hero_q.add_alphas(0);
  hero_q.set_first_score_rows(1);
  hero_q.set_score_rows(2);
  hero_q.set_alpha_candidates(3);
  hero_q.mutable_awq()->set_steps(3);
  hero_q.mutable_awq()->set_scale_search(false);
  const HeroQOptions options = std::get<HeroQOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(std::get<AwqOptions>(options.base).steps, 3);
  EXPECT_FALSE(std::get<AwqOptions>(options.base).scale_search);
  EXPECT_EQ(options.alphas.first_rows, 1);
  EXPECT_EQ(options.alphas.rows, 2);
  EXPECT_EQ(options.alphas.candidates, 3);
  hero_q.clear_first_score_rows();
  EXPECT_TRUE(HasReason(MethodOptionsOf(spec, 0).status(), Reason::kInternal));
}

TEST(MethodProtoTest, SmoothQuantKeepsItsBaseAndStrength) {
  v1::MethodSpec spec;
  spec.mutable_smoothquant()->mutable_gptq()->set_damping(0.5);
  SmoothQuantOptions options = std::get<SmoothQuantOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(options.strength, 0.5);
  EXPECT_EQ(std::get<GptqOptions>(options.base).damping, 0.5);
  spec.mutable_smoothquant()->mutable_rtn();
  spec.mutable_smoothquant()->set_strength(0.25);
  options = std::get<SmoothQuantOptions>(MethodOptionsOf(spec, 0).value());
  EXPECT_EQ(options.strength, 0.25);
  EXPECT_TRUE(std::holds_alternative<RtnOptions>(options.base));
  spec.mutable_smoothquant()->set_strength(1.5);
  EXPECT_TRUE(HasReason(MethodOptionsOf(spec, 0).status(), Reason::kInvalidSpec));
}

TEST(MethodProtoTest, DampingOutsideItsRangeIsRefused) {
  for (const double damping : {0.0, -0.1, 1.5, std::nan("")}) {
    v1::MethodSpec spec;
    spec.mutable_gptq()->set_damping(damping);
    EXPECT_TRUE(HasReason(MethodOptionsOf(spec, 0).status(), Reason::kInvalidSpec)) << damping;
  }
}

TEST(MethodProtoTest, FitOfNoRoundsIsRefused) {
  v1::MethodSpec spec;
  spec.mutable_dash_q()->set_rounds(0);
  EXPECT_TRUE(HasReason(MethodOptionsOf(spec, 0).status(), Reason::kInvalidSpec));
}

TEST(MethodProtoTest, MethodOfANewerVersionIsUnsupported) {
  EXPECT_TRUE(HasReason(MethodOptionsOf(v1::MethodSpec(), 0).status(), Reason::kUnsupported));
}

TEST(MethodProtoTest, SchemeKeepsEveryField) {
  v1::LinearScheme scheme;
  scheme.set_weight_bits(3);
  scheme.set_group_size(-1);
  scheme.set_symmetric(true);
  scheme.set_activation_bits(8);
  scheme.set_scale_type(v1::SCALE_TYPE_F16);
  EXPECT_EQ(QuantSchemeOf(scheme), (QuantScheme{3, kPerChannel, true, 8, ScaleType::kF16}));
  scheme.set_scale_type(v1::SCALE_TYPE_BF16);
  EXPECT_EQ(QuantSchemeOf(scheme).scale_type, ScaleType::kBf16);
}

}  // namespace
}  // namespace heroq
