#include "coordinator/planning/method_description.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(MethodDescriptionTest, NamesAreThoseOfTheCommandLine) {
  EXPECT_THAT(KnownMethods(), ::testing::IsSupersetOf({"rtn", "gptq", "dash-q"}));
  for (const std::string& name : KnownMethods()) {
    v1::MethodSpec method;
    ASSERT_TRUE(SelectMethod(name, method));
    EXPECT_EQ(DescribeMethod(method).name, name);
    EXPECT_TRUE(DescribeMethod(method).parameters.empty());
  }
}

TEST(MethodDescriptionTest, ParametersKeepNameTypeAndOrder) {
  v1::MethodSpec method;
  method.mutable_gptq()->set_scale_search(false);
  method.mutable_gptq()->set_damping(0.25);
  const MethodDescription description = DescribeMethod(method);
  ASSERT_EQ(description.parameters.size(), 2);
  EXPECT_EQ(description.parameters[0].name, "damping");
  EXPECT_EQ(std::get<double>(description.parameters[0].value), 0.25);
  EXPECT_EQ(description.parameters[1].name, "scale_search");
  EXPECT_FALSE(std::get<bool>(description.parameters[1].value));
}

TEST(MethodDescriptionTest, SelectingTheSelectedMethodKeepsItsParameters) {
  v1::MethodSpec method;
  method.mutable_dash_q()->set_rounds(3);
  EXPECT_TRUE(SelectMethod("dash-q", method));
  EXPECT_EQ(method.dash_q().rounds(), 3);
  EXPECT_FALSE(SelectMethod("dash_q", method));
  EXPECT_FALSE(SelectMethod("", method));
}

TEST(MethodDescriptionTest, NoMethodHasNoName) { EXPECT_EQ(DescribeMethod({}).name, ""); }

TEST(MethodDescriptionTest, MethodsInsideAMethodEnumsAndListsAreNamed) {
  v1::MethodSpec method;
  v1::HeroQParameters& hero_q = *method.mutable_hero_q();
  hero_q.mutable_gptq()->set_damping(0.5);
  hero_q.set_transform(v1::TRANSFORM_NONE);
  hero_q.add_alphas(0);
  hero_q.add_alphas(0.25);
  const MethodDescription description = DescribeMethod(method);
  EXPECT_EQ(description.name, "hero-q");
  ASSERT_EQ(description.parameters.size(), 3);
  EXPECT_EQ(description.parameters[0].name, "gptq.damping");
  EXPECT_EQ(std::get<double>(description.parameters[0].value), 0.5);
  EXPECT_EQ(std::get<std::string>(description.parameters[1].value), "none");
  EXPECT_EQ(std::get<std::string>(description.parameters[2].value), "0, 0.25");
}

void ExpectDescribable(const google::protobuf::Descriptor& parameters) {
  using google::protobuf::FieldDescriptor;
  for (int i = 0; i < parameters.field_count(); ++i) {
    const FieldDescriptor& field = *parameters.field(i);
    if (field.is_repeated()) {
      EXPECT_EQ(field.cpp_type(), FieldDescriptor::CPPTYPE_DOUBLE) << field.full_name();
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ExpectDescribable(*field.message_type());
    } else {
      EXPECT_THAT(field.cpp_type(),
                  ::testing::AnyOf(FieldDescriptor::CPPTYPE_BOOL, FieldDescriptor::CPPTYPE_INT32,
                                   FieldDescriptor::CPPTYPE_DOUBLE, FieldDescriptor::CPPTYPE_ENUM))
          << field.full_name();
    }
  }
}

TEST(MethodDescriptionTest, EveryParameterIsOfAKindThatCanBeDescribed) {
  const auto& methods = *v1::MethodSpec::descriptor()->oneof_decl(0);
  for (int i = 0; i < methods.field_count(); ++i) ExpectDescribable(*methods.field(i)->message_type());
}

}  // namespace
}  // namespace heroq
