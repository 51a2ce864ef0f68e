#include "coordinator/planning/base_method.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(BaseMethodTest, ParametersAreFoundOnTheMethodItself) {
  v1::MethodSpec method;
  method.mutable_gptq()->set_damping(0.5);
  EXPECT_EQ(FindGptq(method).parameters, method.mutable_gptq());
  EXPECT_EQ(FindGptq(method).field, "method.gptq");
  EXPECT_EQ(FindRtn(method).parameters, nullptr);
  EXPECT_EQ(FindAwq(method).parameters, nullptr);
}

TEST(BaseMethodTest, AndOnTheBaseInsideOfIt) {
  v1::MethodSpec method;
  method.mutable_hero_q()->mutable_rtn();
  EXPECT_EQ(FindRtn(method).parameters, method.mutable_hero_q()->mutable_rtn());
  EXPECT_EQ(FindRtn(method).field, "method.hero_q.rtn");
  EXPECT_EQ(FindGptq(method).parameters, nullptr);
  EXPECT_FALSE(method.hero_q().has_gptq());
}

TEST(BaseMethodTest, AnUnsetBaseIsGptq) {
  v1::MethodSpec method;
  method.mutable_hero_q();
  EXPECT_EQ(FindRtn(method).parameters, nullptr);
  EXPECT_EQ(FindGptq(method).parameters, method.mutable_hero_q()->mutable_gptq());
}

TEST(BaseMethodTest, AMethodWithoutOneHasNone) {
  v1::MethodSpec none;
  EXPECT_EQ(FindGptq(none).parameters, nullptr);
  v1::MethodSpec method;
  method.mutable_dash_q();
  EXPECT_EQ(FindGptq(method).parameters, nullptr);
  EXPECT_FALSE(SelectBase("gptq", method));
  EXPECT_FALSE(SelectBase("gptq", none));
}

TEST(BaseMethodTest, ABaseIsSelectedByItsNameAndKeepsItsParameters) {
  v1::MethodSpec method;
  method.mutable_hero_q()->mutable_gptq()->set_damping(0.5);
  EXPECT_TRUE(SelectBase("gptq", method));
  EXPECT_EQ(method.hero_q().gptq().damping(), 0.5);
  EXPECT_TRUE(SelectBase("awq", method));
  EXPECT_TRUE(method.hero_q().has_awq());
  EXPECT_FALSE(SelectBase("tier", method)) << "a field, but no base";
  EXPECT_FALSE(SelectBase("dash_q", method));
}

}  // namespace
}  // namespace heroq
