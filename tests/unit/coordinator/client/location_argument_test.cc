#include "coordinator/client/location_argument.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(LocationArgumentTest, PathsBecomeAbsoluteAndClean) {
  EXPECT_EQ(AbsolutePath("/home/u", "out/"), "/home/u/out");
  EXPECT_EQ(AbsolutePath("/home/u", "./a//b/../c"), "/home/u/a/c");
  EXPECT_EQ(AbsolutePath("/home/u", "../../../x"), "/x");
  EXPECT_EQ(AbsolutePath("/home/u", "/m"), "/m");
}

TEST(LocationArgumentTest, LocalPathsAreBelowTheRootWithoutSlash) {
  const auto location = LocationReader::Local("/home/u").Read("MODEL", "m");
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->root(), "local");
  EXPECT_EQ(location->path(), "home/u/m");
  EXPECT_EQ(LocalPath(*location), "/home/u/m");
}

TEST(LocationArgumentTest, ServerPathsNameTheirRoot) {
  const auto location = LocationReader::Remote().Read("MODEL", "models:llama/8b:latest");
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->root(), "models");
  EXPECT_EQ(location->path(), "llama/8b:latest");
  EXPECT_EQ(LocationText(*location), "models:llama/8b:latest");
}

TEST(LocationArgumentTest, ServerPathsWithoutRootAreRefused) {
  for (const char* text : {"llama", "/abs/path", ":x", "models:", "a/b:c", ""}) {
    const auto location = LocationReader::Remote().Read("MODEL", text);
    ASSERT_FALSE(location.ok()) << text;
    EXPECT_TRUE(HasReason(location.status(), Reason::kInvalidSpec));
    EXPECT_NE(location.status().message().find("MODEL"), std::string::npos);
  }
}

}  // namespace
}  // namespace heroq
