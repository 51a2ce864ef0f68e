#include "coordinator/client/run_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "coordinator/client/child_process.h"
#include "coordinator/client/resume_decision.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

class RunDirectoryTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<RunDirectory>> Open() {
    return RunDirectory::Open(files_, clock_, Output(), events_);
  }
  std::string Output() const { return directory_.File("out"); }

  FileSystem& files_ = FileSystem::Posix();
  Clock& clock_ = Clock::System();
  TemporaryDirectory directory_;
  UiEventQueue events_;
};

TEST_F(RunDirectoryTest, SecondRunIsRefusedNamingTheFirst) {
  const auto first = Open();
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = Open();
  ASSERT_TRUE(HasReason(second.status(), Reason::kOutputInUse)) << second.status();
  EXPECT_NE(second.status().message().find(absl::StrCat("process ", getpid(), " ")), std::string::npos);
  EXPECT_NE(second.status().message().find(Output()), std::string::npos);
}

TEST_F(RunDirectoryTest, LockIsFreeWhenTheRunIsOver) {
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(Open().ok());
}

TEST_F(RunDirectoryTest, ChildrenOfADeadRunAreWaitedFor) {
  // A child inherits the lock; its parent's pid in the file is replaced by one that is gone.
  auto first = Open();
  ASSERT_TRUE(first.ok());
  auto child = ChildProcess::Start("/bin/sh", {"-c", "exec sleep 0.3"}, "/dev/null");
  ASSERT_TRUE(child.ok());
  first->reset();
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  waitpid(gone, nullptr, 0);
  const auto lock = files_.Create(Output() + ".heroq/lock");
  ASSERT_TRUE((*lock)->Append(absl::StrCat(gone, "\n")).ok());
  const auto second = Open();
  EXPECT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(child->Poll().has_value());
}

TEST_F(RunDirectoryTest, InterruptEndsTheWait) {
  auto first = Open();
  ASSERT_TRUE(first.ok());
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  waitpid(gone, nullptr, 0);
  ASSERT_TRUE((*files_.Create(Output() + ".heroq/lock"))->Append(absl::StrCat(gone, "\n")).ok());
  events_.Push(InterruptEvent{});
  EXPECT_TRUE(absl::IsCancelled(Open().status()));
}

TEST_F(RunDirectoryTest, RequestIsKeptUntilDiscarded) {
  const auto run = Open();
  ASSERT_TRUE(run.ok());
  EXPECT_FALSE((*run)->ReadRequest().value().has_value());
  v1::JobSpec spec;
  spec.mutable_scheme()->set_weight_bits(3);
  ASSERT_TRUE((*run)->WriteRequest(RequestFor(spec)).ok());
  ASSERT_TRUE(files_.CreateDirectories((*run)->path() + "/state").ok());
  EXPECT_EQ((*run)->ReadRequest().value()->spec().scheme().weight_bits(), 3);
  ASSERT_TRUE((*run)->Discard().ok());
  EXPECT_FALSE((*run)->ReadRequest().value().has_value());
  EXPECT_FALSE(files_.Exists((*run)->path() + "/state"));
}

TEST_F(RunDirectoryTest, BrokenRequestIsNamed) {
  const auto run = Open();
  ASSERT_TRUE(run.ok());
  ASSERT_TRUE(WriteFileAtomically(files_, (*run)->path() + "/job.json", "{").ok());
  EXPECT_TRUE(HasReason((*run)->ReadRequest().status(), Reason::kFileCorrupt));
}

TEST_F(RunDirectoryTest, SocketDirectoriesAreShortAndRemoved) {
  std::string socket_directory;
  {
    const auto run = Open();
    ASSERT_TRUE(run.ok());
    socket_directory = (*run)->socket_directory();
    EXPECT_TRUE(files_.Exists(socket_directory));
    EXPECT_LT(socket_directory.size(), 40u);
  }
  EXPECT_FALSE(files_.Exists(socket_directory));
}

TEST_F(RunDirectoryTest, SocketDirectoryOfAKilledRunIsRemoved) {
  const auto leftover = NewTemporaryDirectory();
  ASSERT_TRUE(leftover.ok());
  ASSERT_TRUE(files_.CreateDirectories(Output() + ".heroq").ok());
  ASSERT_TRUE(
      WriteFileAtomically(files_, Output() + ".heroq/lock", absl::StrCat("1\n", *leftover, "\n")).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_FALSE(files_.Exists(*leftover));
}

TEST_F(RunDirectoryTest, ForeignPathsInTheLockAreNotRemoved) {
  ASSERT_TRUE(files_.CreateDirectories(directory_.File("precious")).ok());
  ASSERT_TRUE(files_.CreateDirectories(Output() + ".heroq").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, Output() + ".heroq/lock",
                                  absl::StrCat("1\n/tmp/heroq-x/../..", directory_.File("precious"), "\n"))
                  .ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(files_.Exists(directory_.File("precious")));
}

TEST_F(RunDirectoryTest, RemoveLeavesNothing) {
  const auto run = Open();
  ASSERT_TRUE(run.ok());
  ASSERT_TRUE((*run)->WriteRequest(RequestFor(v1::JobSpec())).ok());
  ASSERT_TRUE((*run)->Remove().ok());
  EXPECT_FALSE(files_.Exists(Output() + ".heroq"));
  EXPECT_FALSE(files_.Exists((*run)->socket_directory()));
  // The lock that is still held protects a file that is gone.
  EXPECT_TRUE(Open().ok());
}

}  // namespace
}  // namespace heroq
