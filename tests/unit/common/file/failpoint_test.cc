#include "common/file/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/file/file_system.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

class FailpointTest : public testing::Test {
 protected:
  ~FailpointTest() override { ArmFailpoints("").IgnoreError(); }

  // How a child process ends, or stops, that reaches a failpoint.
  static int WaitStatusOfChild(absl::string_view specification) {
    const pid_t child = fork();
    if (child == 0) {
      const bool armed = ArmFailpoints(specification).ok();
      _exit(armed && ReachFailpoint(Failpoint::publish_before_rename).ok() ? 7 : 8);
    }
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    return status;
  }
};

// What a place with a failpoint looks like.
absl::StatusOr<int> Publish() {
  HEROQ_FAILPOINT(publish_before_rename);
  return 1;
}

TEST_F(FailpointTest, NamesAreUnique) {
  const std::set<absl::string_view> names(FailpointNames().begin(), FailpointNames().end());
  EXPECT_EQ(names.size(), FailpointNames().size());
  EXPECT_GT(names.size(), 50u);
}

TEST_F(FailpointTest, NothingHappensUnlessArmed) {
  EXPECT_TRUE(Publish().ok());
  ASSERT_TRUE(ArmFailpoints("publish_after_rename=error").ok());
  EXPECT_TRUE(Publish().ok());
}

TEST_F(FailpointTest, AnErrorNamesTheFailpointAndComesAtItsHitOnly) {
  ASSERT_TRUE(ArmFailpoints("publish_before_rename=error@2;publish_after_rename=error").ok());
  EXPECT_TRUE(Publish().ok());
  const absl::Status failed = Publish().status();
  EXPECT_TRUE(HasReason(failed, Reason::kIo));
  EXPECT_THAT(failed.message(), HasSubstr("publish_before_rename"));
  EXPECT_TRUE(Publish().ok());
  EXPECT_FALSE(HEROQ_FAILPOINT_STATUS(publish_after_rename).ok());
}

TEST_F(FailpointTest, AnErrorMayStayFromItsHitOn) {
  ASSERT_TRUE(ArmFailpoints("publish_before_rename=error@2+").ok());
  EXPECT_TRUE(Publish().ok());
  EXPECT_FALSE(Publish().ok());
  EXPECT_FALSE(Publish().ok());
}

TEST_F(FailpointTest, ACrashIsSigkill) {
  const int status = WaitStatusOfChild("publish_before_rename=crash");
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(FailpointTest, APauseIsSigstop) {
  const int status = WaitStatusOfChild("publish_before_rename=pause");
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(WSTOPSIG(status), SIGSTOP);
}

TEST_F(FailpointTest, TheTraceTellsWhatWasReachedAndWhatHappened) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("trace");
  ASSERT_TRUE(ArmFailpoints(absl::StrCat("publish_before_rename=error@2;trace=", path)).ok());
  EXPECT_TRUE(Publish().ok());
  EXPECT_FALSE(Publish().ok());
  EXPECT_TRUE(HEROQ_FAILPOINT_STATUS(publish_after_rename).ok());
  const std::string program = program_invocation_short_name;
  EXPECT_EQ(*ReadFile(FileSystem::Posix(), path),
            absl::StrCat(program, " publish_before_rename 1 -\n", program, " publish_before_rename 2 error\n",
                         program, " publish_after_rename 1 -\n"));
}

TEST_F(FailpointTest, WhatIsNotUnderstoodIsRefused) {
  for (const char* specification :
       {"publish_before_renam=crash", "publish_before_rename",
        "publish_before_rename=", "publish_before_rename=explode", "publish_before_rename=crash@0",
        "publish_before_rename=crash@x", "publish_before_rename=crash@", "publish_before_rename=crash@+",
        "publish_after_rename=error;nonsense", "=crash"}) {
    const absl::Status refused = ArmFailpoints(specification);
    EXPECT_TRUE(HasReason(refused, Reason::kInvalidSpec)) << specification << ": " << refused;
    EXPECT_THAT(refused.message(), HasSubstr("HEROQ_FAILPOINTS")) << specification;
  }
  EXPECT_TRUE(HasReason(ArmFailpoints("trace=/nowhere/at/all"), Reason::kIo));
}

TEST_F(FailpointTest, ARefusedSpecificationArmsNothing) {
  EXPECT_FALSE(ArmFailpoints("publish_before_rename=error;nonsense=crash").ok());
  EXPECT_TRUE(Publish().ok());
}

TEST_F(FailpointTest, TheEnvironmentArms) {
  ASSERT_EQ(setenv("HEROQ_FAILPOINTS", "publish_before_rename=error", 1), 0);
  const absl::Cleanup restore = [] { unsetenv("HEROQ_FAILPOINTS"); };
  ASSERT_TRUE(SetUpFailpoints().ok());
  EXPECT_FALSE(Publish().ok());
}

}  // namespace
}  // namespace heroq
