#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "common/file/file_system.h"
#include "common/status/error_reason.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(PosixFileSystemTest, OpeningAFifoIsRefusedAndDoesNotWait) {
  const TemporaryDirectory directory;
  const std::string fifo = directory.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const absl::Status status = FileSystem::Posix().OpenForRead(fifo).status();
  EXPECT_TRUE(HasReason(status, Reason::kIo)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("not a regular file"));
  EXPECT_FALSE(FileSystem::Posix().Create(fifo).ok());
}

TEST(PosixFileSystemTest, SymbolicLinksAreFollowedForReadsAndRemovedAsLinks) {
  const TemporaryDirectory directory;
  FileSystem& files = FileSystem::Posix();
  ASSERT_TRUE(files.CreateDirectories(directory.File("blobs")).ok());
  ASSERT_TRUE(WriteFileAtomically(files, directory.File("blobs/x"), "data").ok());
  ASSERT_TRUE(files.CreateDirectories(directory.File("snapshot")).ok());
  ASSERT_EQ(symlink("../blobs/x", directory.File("snapshot/model").c_str()), 0);
  ASSERT_EQ(symlink("../blobs", directory.File("snapshot/folder").c_str()), 0);
  EXPECT_EQ(ReadFile(files, directory.File("snapshot/model")).value(), "data");
  ASSERT_TRUE(files.RemoveTree(directory.File("snapshot")).ok());
  EXPECT_EQ(ReadFile(files, directory.File("blobs/x")).value(), "data");
}

TEST(PosixFileSystemTest, CreatedFilesCanBeReadByAll) {
  const TemporaryDirectory directory;
  const mode_t before = umask(022);
  ASSERT_TRUE(WriteFileAtomically(FileSystem::Posix(), directory.File("a"), "x").ok());
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(directory.File("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
}

TEST(PosixFileSystemTest, ADirectoryIsWritableForThoseWhoMayMakeNamesInIt) {
  const TemporaryDirectory directory;
  FileSystem& files = FileSystem::Posix();
  ASSERT_TRUE(WriteFileAtomically(files, directory.File("a"), "x").ok());
  EXPECT_TRUE(files.CheckWritable(directory.path()).ok());
  EXPECT_THAT(std::string(files.CheckWritable(directory.File("a")).message()), HasSubstr("Not a directory"));
  EXPECT_TRUE(absl::IsNotFound(files.CheckWritable(directory.File("none"))));
  ASSERT_EQ(chmod(directory.path().c_str(), 0555), 0);
  // Root may write everywhere, so another user is asked; a process of its own, because this one stays root.
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65534) != 0) _exit(2);
    _exit(absl::IsPermissionDenied(files.CheckWritable(directory.path())) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(chmod(directory.path().c_str(), 0700), 0);
}

TEST(PosixFileSystemTest, AFileTruncatedAfterOpenGivesAnError) {
  const TemporaryDirectory directory;
  FileSystem& files = FileSystem::Posix();
  ASSERT_TRUE(WriteFileAtomically(files, directory.File("a"), std::string(1000, 'x')).ok());
  const auto file = files.OpenForRead(directory.File("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(truncate(directory.File("a").c_str(), 10), 0);
  std::string buffer(1000, '\0');
  const absl::Status status = (*file)->ReadAt(0, 1000, buffer.data());
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("file ends at 10"));
}

}  // namespace
}  // namespace heroq
