#include "coordinator/client/scheme_argument.h"

#include <gtest/gtest.h>

namespace heroq {
namespace {

TEST(SchemeArgumentTest, GroupSizes) {
  EXPECT_EQ(*ParseGroupSize("--group-size", "auto"), 0);
  EXPECT_EQ(*ParseGroupSize("--group-size", "channel"), -1);
  EXPECT_EQ(*ParseGroupSize("--group-size", "64"), 64);
  for (const char* text : {"0", "-1", "64x", ""})
    EXPECT_FALSE(ParseGroupSize("--group-size", text).ok()) << text;
}

TEST(SchemeArgumentTest, Symmetries) {
  EXPECT_EQ(*ParseSymmetry("--symmetric", "auto"), v1::SYMMETRY_UNSPECIFIED);
  EXPECT_EQ(*ParseSymmetry("--symmetric", "on"), v1::SYMMETRY_SYMMETRIC);
  EXPECT_EQ(*ParseSymmetry("--symmetric", "off"), v1::SYMMETRY_ASYMMETRIC);
  EXPECT_FALSE(ParseSymmetry("--symmetric", "yes").ok());
}

TEST(SchemeArgumentTest, OverrideHasItsParts) {
  const auto result = ParseOverride("mlp.down_proj=W8,g64,asym");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->pattern(), "mlp.down_proj");
  EXPECT_EQ(result->scheme().weight_bits(), 8);
  EXPECT_EQ(result->scheme().group_size(), 64);
  EXPECT_EQ(result->scheme().symmetry(), v1::SYMMETRY_ASYMMETRIC);
}

TEST(SchemeArgumentTest, ActivationsHaveBits) {
  EXPECT_EQ(ParseOverride("down_proj=w8,a8,channel")->scheme().activation_bits(), 8);
  EXPECT_EQ(ParseOverride("down_proj=a16")->scheme().activation_bits(), 16);
  EXPECT_FALSE(ParseOverride("down_proj=a8,a4").ok());
}

TEST(SchemeArgumentTest, UnnamedPartsStayUnset) {
  const auto result = ParseOverride("q_proj=channel");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->scheme().weight_bits(), 0);
  EXPECT_EQ(result->scheme().group_size(), -1);
  EXPECT_EQ(result->scheme().symmetry(), v1::SYMMETRY_UNSPECIFIED);
}

TEST(SchemeArgumentTest, LastEqualsSignSplits) {
  const auto result = ParseOverride("(?P<x>a=b)=keep");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->pattern(), "(?P<x>a=b)");
  EXPECT_TRUE(result->keep());
}

TEST(SchemeArgumentTest, WrongOverridesNameThePart) {
  for (const char* text :
       {"down_proj", "=w8", "x=", "x=w8,w4", "x=sym,asym", "x=g64,channel", "x=h8", "x=w", "x=w0"}) {
    EXPECT_FALSE(ParseOverride(text).ok()) << text;
  }
  EXPECT_NE(ParseOverride("x=w8,q7").status().message().find("'q7'"), std::string::npos);
}

}  // namespace
}  // namespace heroq
