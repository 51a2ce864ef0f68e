#include "common/file/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file/file_system.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

TEST(FileLockTest, SecondHolderIsRefusedUntilTheFirstIsGone) {
  TemporaryDirectory directory;
  auto first = FileLock::TryAcquire(directory.File("lock"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::IsUnavailable(FileLock::TryAcquire(directory.File("lock")).status()));
  first->reset();
  EXPECT_TRUE(FileLock::TryAcquire(directory.File("lock")).ok());
}

TEST(FileLockTest, ChildrenKeepTheLock) {
  TemporaryDirectory directory;
  auto lock = FileLock::TryAcquire(directory.File("lock"));
  ASSERT_TRUE(lock.ok());
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    // Waits for the parent, as another program that inherited the descriptor.
    dup2(pipe_ends[0], STDIN_FILENO);
    close(pipe_ends[1]);
    execl("/bin/cat", "cat", nullptr);
    _exit(1);
  }
  lock->reset();
  EXPECT_TRUE(absl::IsUnavailable(FileLock::TryAcquire(directory.File("lock")).status()));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::TryAcquire(directory.File("lock")).ok());
}

TEST(FileLockTest, LockOnARemovedFileDoesNotCount) {
  TemporaryDirectory directory;
  const auto lock = FileLock::TryAcquire(directory.File("lock"));
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE(FileSystem::Posix().RemoveFile(directory.File("lock")).ok());
  EXPECT_TRUE(FileLock::TryAcquire(directory.File("lock")).ok());
}

TEST(FileLockTest, MissingDirectoryIsNamed) {
  const auto lock = FileLock::TryAcquire("/no/such/directory/lock");
  EXPECT_TRUE(absl::IsNotFound(lock.status()));
  EXPECT_TRUE(HasReason(lock.status(), Reason::kIo));
}

}  // namespace
}  // namespace heroq
