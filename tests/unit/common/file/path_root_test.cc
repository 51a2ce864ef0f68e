#include "common/file/path_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <string>

#include "common/file/file_system.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class PathRootTest : public ::testing::Test {
 protected:
  PathRootTest() {
    for (const char* path : {"root/models/a", "root/blobs", "outside"}) {
      EXPECT_TRUE(files_.CreateDirectories(directory_.File(path)).ok());
    }
    Link("../../blobs", "root/models/inner");
    Link("../../outside", "root/escape");
    Link("../outside", "root/sideways");
    Link(directory_.File("root/blobs"), "root/absolute");
    Link("nothing", "root/dangling");
    Link("loop", "root/loop");
    // /tmp itself may be a link.
    char* resolved = realpath(directory_.File("root").c_str(), nullptr);
    root_ = resolved;
    free(resolved);
  }

  void Link(const std::string& target, const std::string& name) {
    EXPECT_EQ(symlink(target.c_str(), directory_.File(name).c_str()), 0);
  }
  std::string Resolve(absl::string_view relative) {
    const absl::StatusOr<std::string> path = ResolveBeneath(root_, relative);
    return path.ok() ? *path : ReasonName(path.status());
  }

  TemporaryDirectory directory_;
  FileSystem& files_ = FileSystem::Posix();
  std::string root_;
};

TEST_F(PathRootTest, PathsBelowTheRootResolve) {
  EXPECT_EQ(Resolve("models/a"), root_ + "/models/a");
  EXPECT_EQ(Resolve("./models//a/"), root_ + "/models/a");
  EXPECT_EQ(Resolve(""), root_);
  EXPECT_EQ(Resolve("."), root_);
}

TEST_F(PathRootTest, WhatDoesNotExistYetIsAppended) {
  EXPECT_EQ(Resolve("new"), root_ + "/new");
  EXPECT_EQ(Resolve("models/x/y"), root_ + "/models/x/y");
}

TEST_F(PathRootTest, LinksInsideTheRootAreFollowed) {
  Link("../blobs", "root/models/near");
  EXPECT_EQ(Resolve("models/near"), root_ + "/blobs");
  EXPECT_EQ(Resolve("models/near/new"), root_ + "/blobs/new");
}

TEST_F(PathRootTest, EscapesAreRefused) {
  for (const char* path :
       {"..", "../outside", "models/../../outside", "models/a/..", "/etc", "escape", "sideways", "sideways/x",
        "models/inner", "absolute", "loop", "loop/x", "dangling", "dangling/x"}) {
    EXPECT_EQ(Resolve(path), "PATH_NOT_ALLOWED") << path;
  }
  EXPECT_EQ(Resolve(absl::string_view("models\0/../..", 13)), "PATH_NOT_ALLOWED");
}

TEST_F(PathRootTest, ARootThatIsNoDirectoryIsRefused) {
  EXPECT_EQ(ReasonName(ResolveBeneath(root_ + "/none", "a").status()), "PATH_NOT_ALLOWED");
  ASSERT_TRUE(WriteFileAtomically(files_, root_ + "/file", "").ok());
  EXPECT_EQ(ReasonName(ResolveBeneath(root_ + "/file", "a").status()), "PATH_NOT_ALLOWED");
}

TEST_F(PathRootTest, ErrorsNamePathAndRoot) {
  const absl::Status status = ResolveBeneath(root_, "../outside").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("../outside"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(root_));
}

TEST_F(PathRootTest, TheWholeMachineIsARootWithoutRestrictions) {
  EXPECT_EQ(ResolveBeneath("/", root_ + "/escape").value(), root_ + "/escape");
  EXPECT_EQ(ResolveBeneath("/", "data/model").value(), "/data/model");
}

}  // namespace
}  // namespace heroq
