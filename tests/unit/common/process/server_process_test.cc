#include "common/process/server_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace heroq {
namespace {

void Parse(ServerProcess& process, const std::string& flags) {
  CLI::App app;
  process.AddFlags(app);
  app.parse(flags, /*program_name_included=*/false);
}

bool IsPending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

TEST(ServerProcessTest, InterruptsEndAServerUnlessTheyAreLeftToItsParent) {
  ServerProcess alone;
  Parse(alone, "");
  ASSERT_TRUE(alone.Begin().value());
  kill(getpid(), SIGINT);
  alone.WaitForEnd();
  alone.EndAtNextSignal();

  ServerProcess child;
  Parse(child, "--exit-with-parent " + std::to_string(getppid()));
  ASSERT_TRUE(child.Begin().value());
  kill(getpid(), SIGINT);
  kill(getpid(), SIGTERM);
  child.WaitForEnd();
  EXPECT_FALSE(IsPending(SIGINT));
  EXPECT_FALSE(IsPending(SIGTERM)) << "the interrupt was not enough";
}

TEST(ServerProcessTest, ChildOfAParentThatIsGoneDoesNotBegin) {
  ServerProcess process;
  // Not the parent of this process.
  Parse(process, "--exit-with-parent " + std::to_string(getpid()));
  EXPECT_FALSE(process.Begin().value());
}

TEST(ServerProcessTest, LogThatCannotBeOpenedIsAnError) {
  ServerProcess process;
  Parse(process, "--log-file /dev/null/log");
  EXPECT_FALSE(process.Begin().ok());
}

}  // namespace
}  // namespace heroq
