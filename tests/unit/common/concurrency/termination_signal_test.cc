#include "common/concurrency/termination_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace heroq {
namespace {

TEST(TerminationSignalTest, RaiseWakesWaitAlsoFromAnotherThread) {
  TerminationSignal signals;
  std::thread raiser([] { TerminationSignal::Raise(); });
  EXPECT_EQ(signals.Wait(), SIGTERM);
  raiser.join();
}

TEST(TerminationSignalTest, InterruptWakesWait) {
  TerminationSignal signals;
  kill(getpid(), SIGINT);
  EXPECT_EQ(signals.Wait(), SIGINT);
}

TEST(ExitWithParentTest, ChildDiesWithItsParentAndHoldsNothingOpen) {
  int alive[2];
  ASSERT_EQ(pipe(alive), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    int ready[2];
    if (pipe(ready) != 0) _exit(1);
    const pid_t before = getpid();
    if (fork() == 0) {
      const bool has_parent = ExitWithParent(before);
      if (write(ready[1], has_parent ? "y" : "n", 1) != 1) _exit(1);
      pause();
      _exit(0);
    }
    char answer = 'n';
    if (read(ready[0], &answer, 1) != 1) _exit(1);
    _exit(answer == 'y' ? 0 : 1);
  }
  close(alive[1]);
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  // End of file comes when the grandchild, the last holder of the other end, is gone.
  char byte = 0;
  EXPECT_EQ(read(alive[0], &byte, 1), 0);
  close(alive[0]);
}

}  // namespace
}  // namespace heroq
