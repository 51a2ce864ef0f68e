#include "coordinator/client/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "common/status/error_reason.h"
#include "coordinator/client/log_tail.h"
#include "coordinator/client/signal_watcher.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcess Shell(const std::string& script) {
    auto child = ChildProcess::Start("/bin/sh", {"-c", script}, directory_.File("stderr"));
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }
  // Waits for SIGCHLD, not for time.
  ChildExit Await(ChildProcess& child) {
    for (;;) {
      if (auto end = child.Poll(); end.has_value()) return *end;
      events_.Pop(absl::Seconds(10));
    }
  }

  TemporaryDirectory directory_;
  UiEventQueue events_;
  SignalWatcher signals_{events_};
};

TEST_F(ChildProcessTest, ExitCodeIsSeenOnce) {
  ChildProcess child = Shell("exit 3");
  EXPECT_EQ(Await(child).ToString(), "exited with code 3");
  EXPECT_FALSE(child.Poll().has_value());
  EXPECT_FALSE(child.running());
}

TEST_F(ChildProcessTest, KillingSignalIsNamed) {
  ChildProcess child = Shell("exec sleep 60");
  child.Signal(SIGKILL);
  EXPECT_EQ(Await(child).ToString(), "was killed by signal 9 (Killed)");
}

TEST_F(ChildProcessTest, ChildHasItsOwnGroupAndDefaultSignals) {
  ChildProcess child = Shell("exec sleep 60");
  EXPECT_EQ(getpgid(child.pid()), child.pid());
  // This process blocks SIGTERM; its child must not.
  child.Signal(SIGTERM);
  EXPECT_TRUE(Await(child).signalled);
}

TEST_F(ChildProcessTest, StandardErrorIsAppendedToItsFile) {
  ChildProcess first = Shell("echo one >&2; echo lost");
  Await(first);
  ChildProcess second = Shell("echo two >&2; echo; echo three >&2");
  Await(second);
  FileSystem& files = FileSystem::Posix();
  EXPECT_EQ(LastLines(files, directory_.File("stderr"), 2), (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(LastLines(files, directory_.File("stderr"), 9).size(), 3u);
  EXPECT_TRUE(LastLines(files, directory_.File("none"), 9).empty());
}

TEST_F(ChildProcessTest, MissingProgramIsNamed) {
  const auto child = ChildProcess::Start("/no/such/program", {}, directory_.File("stderr"));
  EXPECT_TRUE(HasReason(child.status(), Reason::kFailedToStart));
  EXPECT_NE(child.status().message().find("/no/such/program"), std::string::npos);
}

TEST_F(ChildProcessTest, SignalsBecomeEvents) {
  kill(getpid(), SIGINT);
  const auto interrupt = events_.Pop(absl::Seconds(10));
  ASSERT_TRUE(interrupt.has_value());
  EXPECT_TRUE(std::holds_alternative<InterruptEvent>(*interrupt));
  kill(getpid(), SIGWINCH);
  const auto resize = events_.Pop(absl::Seconds(10));
  ASSERT_TRUE(resize.has_value());
  EXPECT_TRUE(std::holds_alternative<ResizeEvent>(*resize));
}

}  // namespace
}  // namespace heroq
