#include "coordinator/planning/method_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

v1::HeroQParameters Resolved(v1::Tier tier) {
  v1::MethodSpec method;
  method.mutable_hero_q()->set_tier(tier);
  ResolveMethod(method);
  return method.hero_q();
}

std::string WhatIsWrong(const v1::HeroQParameters& hero_q) {
  v1::JobSpec spec;
  spec.mutable_calibration()->mutable_source();
  *spec.mutable_method()->mutable_hero_q() = hero_q;
  SpecViolations violations;
  CheckMethod(spec, violations);
  return std::string(violations.ToStatus().message());
}

TEST(MethodParametersTest, ATierSaysEverythingThatWasLeftOpen) {
  const v1::HeroQParameters fast = Resolved(v1::TIER_FAST);
  EXPECT_EQ(fast.transform(), v1::TRANSFORM_FUSED);
  EXPECT_EQ(fast.rotation(), v1::ROTATION_HADAMARD);
  EXPECT_EQ(fast.rotation_steps(), 0);
  EXPECT_THAT(fast.alphas(), SizeIs(3));
  EXPECT_TRUE(fast.gptq().act_order());
  const v1::HeroQParameters balanced = Resolved(v1::TIER_UNSPECIFIED);
  EXPECT_EQ(balanced.tier(), v1::TIER_BALANCED);
  EXPECT_EQ(balanced.rotation(), v1::ROTATION_LEARNED);
  EXPECT_EQ(balanced.rotation_steps(), 60);
  EXPECT_THAT(balanced.alphas(), ElementsAre(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8));
  EXPECT_EQ(balanced.alpha_candidates(), 1);
  const v1::HeroQParameters best = Resolved(v1::TIER_BEST);
  EXPECT_EQ(best.rotation_steps(), 200);
  EXPECT_EQ(best.alpha_candidates(), 2);
  for (const v1::HeroQParameters& tier : {fast, balanced, best}) {
    EXPECT_GT(tier.first_score_rows(), 0);
    EXPECT_LT(tier.first_score_rows(), tier.score_rows());
    EXPECT_EQ(WhatIsWrong(tier), "") << "what is resolved may be given";
  }
}

TEST(MethodParametersTest, WhatIsGivenBoundsWhatATierSays) {
  v1::MethodSpec method;
  v1::HeroQParameters& hero_q = *method.mutable_hero_q();
  hero_q.set_tier(v1::TIER_BEST);
  hero_q.add_alphas(0.2);
  hero_q.set_score_rows(8);
  ResolveMethod(method);
  EXPECT_EQ(hero_q.alpha_candidates(), 1) << "of one alpha";
  EXPECT_EQ(hero_q.first_score_rows(), 8);
  hero_q.Clear();
  hero_q.set_first_score_rows(2000);
  ResolveMethod(method);
  EXPECT_EQ(hero_q.score_rows(), 2000);
}

TEST(MethodParametersTest, AwqIsResolvedByItselfAndAsABase) {
  v1::MethodSpec method;
  method.mutable_awq();
  ResolveMethod(method);
  EXPECT_EQ(method.awq().steps(), 20);
  EXPECT_TRUE(method.awq().scale_search());
  method.mutable_hero_q()->mutable_awq()->set_steps(5);
  ResolveMethod(method);
  EXPECT_EQ(method.hero_q().awq().steps(), 5);
  EXPECT_TRUE(method.hero_q().awq().scale_search());
  EXPECT_FALSE(method.hero_q().has_gptq());
}

TEST(MethodParametersTest, AnExactSearchLearnsWhateverTheTier) {
  v1::MethodSpec method;
  method.mutable_hero_q()->set_transform(v1::TRANSFORM_EVALUATION);
  method.mutable_hero_q()->set_tier(v1::TIER_FAST);
  method.mutable_hero_q()->set_exact(true);
  ResolveMethod(method);
  EXPECT_EQ(method.hero_q().rotation(), v1::ROTATION_LEARNED);
  EXPECT_EQ(method.hero_q().rotation_steps(), 60);
  EXPECT_EQ(method.hero_q().alpha_refinement(), 0);
}

TEST(MethodParametersTest, SmoothQuantMovesHalfOfTheRangeUnlessToldOtherwise) {
  v1::MethodSpec method;
  method.mutable_smoothquant();
  ResolveMethod(method);
  EXPECT_EQ(method.smoothquant().strength(), 0.5);
  EXPECT_TRUE(method.smoothquant().gptq().act_order());
  v1::JobSpec spec;
  spec.mutable_calibration()->mutable_source();
  spec.mutable_method()->mutable_smoothquant()->set_strength(1.5);
  SpecViolations violations;
  CheckMethod(spec, violations);
  EXPECT_THAT(std::string(violations.ToStatus().message()),
              HasSubstr("method.smoothquant.strength is 1.5, expected 0 to 1"));
}

TEST(MethodParametersTest, WhatIsGivenIsKept) {
  v1::MethodSpec method;
  v1::HeroQParameters& hero_q = *method.mutable_hero_q();
  hero_q.mutable_rtn();
  hero_q.add_alphas(0.4);
  hero_q.set_transform(v1::TRANSFORM_NONE);
  hero_q.set_rotation(v1::ROTATION_NONE);
  ResolveMethod(method);
  EXPECT_FALSE(hero_q.has_gptq());
  EXPECT_TRUE(hero_q.rtn().scale_search());
  EXPECT_THAT(hero_q.alphas(), ElementsAre(0.4));
  EXPECT_EQ(hero_q.alpha_refinement(), 0) << "one value is taken, not refined";
  EXPECT_EQ(hero_q.transform(), v1::TRANSFORM_NONE);
  EXPECT_EQ(hero_q.rotation_steps(), 0);
}

TEST(MethodParametersTest, BranchesHaveARankUnlessThereAreNone) {
  v1::MethodSpec method;
  method.mutable_arhq();
  ResolveMethod(method);
  EXPECT_EQ(method.arhq().rank(), 32);
  EXPECT_EQ(method.arhq().branch(), v1::LOW_RANK_BRANCH_RESIDUAL);
  EXPECT_TRUE(method.arhq().gptq().act_order());
  method.mutable_arhq()->Clear();
  method.mutable_arhq()->mutable_rtn();
  method.mutable_arhq()->set_branch(v1::LOW_RANK_BRANCH_NONE);
  ResolveMethod(method);
  EXPECT_EQ(method.arhq().rank(), 0);
  EXPECT_FALSE(method.arhq().has_gptq());
}

TEST(MethodParametersTest, WhatABranchCannotUseIsNamed) {
  v1::JobSpec spec;
  spec.mutable_calibration()->mutable_source();
  v1::ArhqParameters& arhq = *spec.mutable_method()->mutable_arhq();
  const auto wrong = [&] {
    SpecViolations violations;
    CheckMethod(spec, violations);
    return std::string(violations.ToStatus().message());
  };
  EXPECT_EQ(wrong(), "");
  arhq.set_rank(0);
  EXPECT_THAT(wrong(), HasSubstr("method.arhq.rank"));
  arhq.set_rank(4);
  arhq.set_branch(v1::LOW_RANK_BRANCH_NONE);
  EXPECT_THAT(wrong(), HasSubstr("the job has no branch"));
  arhq.clear_rank();
  arhq.set_branch(v1::LOW_RANK_BRANCH_PLAIN);
  arhq.set_activation_format(v1::ACTIVATION_FORMAT_NVFP4);
  EXPECT_THAT(wrong(), HasSubstr("method.arhq.activation_format"));
}

TEST(MethodParametersTest, ValuesOutsideTheirRangeAreNamed) {
  v1::HeroQParameters hero_q;
  EXPECT_EQ(WhatIsWrong(hero_q), "");
  hero_q.add_alphas(0.5);
  hero_q.add_alphas(0.5);
  hero_q.add_alphas(1.5);
  EXPECT_THAT(WhatIsWrong(hero_q),
              HasSubstr("method.hero_q.alphas[1] is 0.5, expected more than the value before"));
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("method.hero_q.alphas[2] is 1.5, expected 0 to 1"));
  hero_q.clear_alphas();
  hero_q.mutable_gptq()->set_damping(2);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("method.hero_q.gptq.damping is 2"));
  hero_q.mutable_awq()->set_steps(0);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("method.hero_q.awq.steps is 0, expected 1 to 100"));
  hero_q.clear_awq();
  hero_q.set_exact(true);
  EXPECT_THAT(WhatIsWrong(hero_q),
              HasSubstr("method.hero_q.exact is set, but only with transform evaluation"));
  hero_q.set_transform(v1::TRANSFORM_EVALUATION);
  EXPECT_THAT(WhatIsWrong(hero_q), testing::Not(HasSubstr("exact")));
  hero_q.set_alpha_refinement(0.1);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("expected alpha_refinement 0"));
  hero_q.clear_alpha_refinement();
  hero_q.set_alpha_candidates(1);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("alpha_candidates is set, but with exact"));
  hero_q.clear_alpha_candidates();
  hero_q.set_first_score_rows(48);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("first_score_rows is set, but with exact"));
  hero_q.clear_first_score_rows();
  hero_q.clear_exact();
  hero_q.clear_transform();
  hero_q.set_rotation(v1::ROTATION_HADAMARD);
  hero_q.set_rotation_steps(10);
  EXPECT_THAT(WhatIsWrong(hero_q),
              HasSubstr("method.hero_q.rotation_steps is set, but only a learned rotation"));
}

TEST(MethodParametersTest, WhatASearchCannotUseIsNamed) {
  v1::HeroQParameters hero_q;
  hero_q.set_tier(v1::TIER_FAST);
  hero_q.set_rotation_steps(10);
  hero_q.set_alpha_candidates(2);
  EXPECT_THAT(WhatIsWrong(hero_q),
              HasSubstr("method.hero_q.rotation_steps is set, but only a learned rotation"));
  EXPECT_THAT(WhatIsWrong(hero_q),
              HasSubstr("method.hero_q.alpha_candidates is set, but only a learned rotation"));
  hero_q.set_rotation(v1::ROTATION_LEARNED);
  EXPECT_EQ(WhatIsWrong(hero_q), "");
  hero_q.set_alpha_candidates(4);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("method.hero_q.alpha_candidates is 4, expected 1 to 3"));
  hero_q.Clear();
  hero_q.set_score_rows(64);
  hero_q.set_first_score_rows(65);
  EXPECT_THAT(WhatIsWrong(hero_q), HasSubstr("method.hero_q.first_score_rows is 65, expected 1 to 64"));
}

}  // namespace
}  // namespace heroq
