#include "common/file/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/power_cut_file_system.h"
#include "tests/support/temporary_directory.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The contract of FileSystem, kept by the real one and by those that tests use in its place.
class FileSystemTest : public ::testing::TestWithParam<std::string> {
 protected:
  FileSystemTest() : files_(Chosen()) { EXPECT_TRUE(files_.CreateDirectories(directory_.path()).ok()); }

  std::string Path(const std::string& name) const { return directory_.File(name); }
  void Write(const std::string& name, const std::string& data) {
    auto file = files_.Create(Path(name));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(data).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string Read(const std::string& name) {
    const absl::StatusOr<std::string> data = ReadFile(files_, Path(name));
    return data.ok() ? *data : data.status().ToString();
  }

  TemporaryDirectory directory_;
  MemoryFileSystem memory_;
  PowerCutFileSystem power_cut_{std::make_unique<PowerCutDisk>()};
  FileSystem& files_;

 private:
  FileSystem& Chosen() {
    if (GetParam() == "Posix") return FileSystem::Posix();
    return GetParam() == "Memory" ? static_cast<FileSystem&>(memory_) : power_cut_;
  }
};

TEST_P(FileSystemTest, WhatIsWrittenIsReadBack) {
  Write("a", "hello");
  EXPECT_EQ(Read("a"), "hello");
  const absl::StatusOr<FileInfo> info = files_.Stat(Path("a"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size, 5);
  EXPECT_TRUE(info->is_regular);
  EXPECT_FALSE(info->is_directory);
  Write("a", "");
  EXPECT_EQ(Read("a"), "");
}

TEST_P(FileSystemTest, ReadsStopAtTheEndOfTheFile) {
  Write("a", "0123456789");
  const auto file = files_.OpenForRead(Path("a"));
  ASSERT_TRUE(file.ok());
  std::string buffer(4, '\0');
  ASSERT_TRUE((*file)->ReadAt(6, 4, buffer.data()).ok());
  EXPECT_EQ(buffer, "6789");
  const absl::Status status = (*file)->ReadAt(7, 4, buffer.data());
  EXPECT_TRUE(HasReason(status, Reason::kFileCorrupt)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("a")));
}

TEST_P(FileSystemTest, WritesPastTheEndFillWithZerosAndAppendsFollowThem) {
  Write("a", "ab");
  const auto file = files_.OpenForUpdate(Path("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->WriteAt(3, "d").ok());
  ASSERT_TRUE((*file)->WriteAt(0, "A").ok());
  ASSERT_TRUE((*file)->Append("e").ok());
  EXPECT_EQ(Read("a"), std::string("Ab\0de", 5));
  EXPECT_TRUE(files_.OpenForUpdate(Path("new")).ok());
  EXPECT_EQ(Read("new"), "");
}

TEST_P(FileSystemTest, AMissingFileIsNotFoundAndNamesOperationAndPath) {
  for (const absl::Status& status :
       {files_.OpenForRead(Path("none")).status(), files_.Stat(Path("none")).status(),
        files_.List(Path("none")).status(), files_.RemoveFile(Path("none")),
        files_.SyncDirectory(Path("none")), files_.Rename(Path("none"), Path("b")),
        files_.Create(Path("none/a")).status()}) {
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_TRUE(HasReason(status, Reason::kIo)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(Path("none")));
  }
  EXPECT_THAT(std::string(files_.OpenForRead(Path("none")).status().message()), HasSubstr("open"));
}

TEST_P(FileSystemTest, DirectoriesAreNotOpenedAsFiles) {
  ASSERT_TRUE(files_.CreateDirectories(Path("d/e")).ok());
  EXPECT_FALSE(files_.OpenForRead(Path("d")).ok());
  EXPECT_FALSE(files_.Create(Path("d")).ok());
  EXPECT_FALSE(files_.RemoveFile(Path("d/e")).ok());
  EXPECT_TRUE(files_.Exists(Path("d/e")));
}

TEST_P(FileSystemTest, DirectoriesAreMadeWithParentsAndListedSorted) {
  ASSERT_TRUE(files_.CreateDirectories(Path("d/e")).ok());
  ASSERT_TRUE(files_.CreateDirectories(Path("d/e")).ok());
  Write("d/z", "");
  Write("d/a", "");
  EXPECT_THAT(files_.List(Path("d")).value(), ElementsAre("a", "e", "z"));
  EXPECT_TRUE(files_.Stat(Path("d/e"))->is_directory);
  EXPECT_FALSE(files_.CreateDirectories(Path("d/a/b")).ok());
  EXPECT_TRUE(files_.SyncDirectory(Path("d")).ok());
}

TEST_P(FileSystemTest, WritesAndRenamesAreSeenInTheTimesOfAFile) {
  Write("a", "old");
  const FileInfo before = *files_.Stat(Path("a"));
  EXPECT_EQ(*files_.Stat(Path("a")), before);
  EXPECT_EQ(*(*files_.OpenForRead(Path("a")))->Stat(), before);
  FileInfo after = before;
  // More than once: the clock of a file system may tick a hundred times a second.
  for (int i = 0; i < 1'000'000 && after == before; ++i) {
    ASSERT_TRUE((*files_.OpenForUpdate(Path("a")))->WriteAt(0, "new").ok());
    after = *files_.Stat(Path("a"));
  }
  EXPECT_GT(after.modify_time_nanos, before.modify_time_nanos);
  EXPECT_GT(after.change_time_nanos, before.change_time_nanos);
  ASSERT_TRUE(files_.Rename(Path("a"), Path("b")).ok());
  FileInfo renamed = *files_.Stat(Path("b"));
  EXPECT_GE(renamed.change_time_nanos, after.change_time_nanos);
  renamed.change_time_nanos = after.change_time_nanos;
  EXPECT_EQ(renamed, after);
}

TEST_P(FileSystemTest, RenameReplacesAFile) {
  Write("a", "new");
  Write("b", "old");
  ASSERT_TRUE(files_.Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(Read("b"), "new");
  EXPECT_FALSE(files_.Exists(Path("a")));
}

TEST_P(FileSystemTest, RenameMovesATree) {
  ASSERT_TRUE(files_.CreateDirectories(Path("d/e")).ok());
  Write("d/e/a", "x");
  Write("de", "sibling with a common prefix");
  ASSERT_TRUE(files_.Rename(Path("d"), Path("f")).ok());
  EXPECT_EQ(Read("f/e/a"), "x");
  EXPECT_TRUE(files_.Exists(Path("de")));
  ASSERT_TRUE(files_.CreateDirectories(Path("g")).ok());
  Write("g/a", "");
  EXPECT_TRUE(absl::IsAlreadyExists(files_.Rename(Path("f"), Path("g"))));
}

TEST_P(FileSystemTest, RenameNoReplaceLeavesWhatIsThere) {
  Write("a", "new");
  Write("b", "old");
  const absl::Status status = files_.RenameNoReplace(Path("a"), Path("b"));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Read("a"), "new");
  EXPECT_EQ(Read("b"), "old");
  ASSERT_TRUE(files_.CreateDirectories(Path("d")).ok());
  ASSERT_TRUE(files_.CreateDirectories(Path("e")).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(files_.RenameNoReplace(Path("d"), Path("e"))));
  EXPECT_TRUE(files_.RenameNoReplace(Path("a"), Path("c")).ok());
  EXPECT_TRUE(files_.RenameNoReplace(Path("d"), Path("f")).ok());
  EXPECT_EQ(Read("c"), "new");
}

TEST_P(FileSystemTest, RemoveTreeTakesEverythingBelowAndNothingElse) {
  ASSERT_TRUE(files_.CreateDirectories(Path("d/e/f")).ok());
  Write("d/e/a", "");
  Write("dd", "");
  EXPECT_TRUE(files_.RemoveTree(Path("d")).ok());
  EXPECT_TRUE(files_.RemoveTree(Path("d")).ok());
  EXPECT_THAT(files_.List(directory_.path()).value(), ElementsAre("dd"));
}

TEST_P(FileSystemTest, AnOpenFileOutlivesItsName) {
  Write("a", "kept");
  const auto file = files_.OpenForRead(Path("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(files_.RemoveFile(Path("a")).ok());
  std::string buffer(4, '\0');
  EXPECT_TRUE((*file)->ReadAt(0, 4, buffer.data()).ok());
  EXPECT_EQ(buffer, "kept");
}

TEST_P(FileSystemTest, ReadFileRefusesMoreThanItsLimit) {
  Write("a", "12345");
  EXPECT_EQ(ReadFile(files_, Path("a"), 5).value(), "12345");
  EXPECT_TRUE(HasReason(ReadFile(files_, Path("a"), 4).status(), Reason::kFileCorrupt));
}

TEST_P(FileSystemTest, AtomicWritesLeaveOnlyTheFile) {
  EXPECT_TRUE(WriteFileAtomically(files_, Path("a"), "one").ok());
  EXPECT_TRUE(WriteFileAtomically(files_, Path("a"), "two").ok());
  EXPECT_EQ(Read("a"), "two");
  EXPECT_THAT(files_.List(directory_.path()).value(), ElementsAre("a"));
}

INSTANTIATE_TEST_SUITE_P(Every, FileSystemTest, ::testing::Values("Posix", "Memory", "PowerCut"),
                         [](const auto& instance) { return instance.param; });

// Every operation of an atomic write may fail: then the old bytes are there, whole, and nothing else is.
TEST(WriteFileAtomicallyTest, AFailureAtAnyStepKeepsTheOldBytes) {
  for (int failing = 0;; ++failing) {
    MemoryFileSystem files;
    ASSERT_TRUE(WriteFileAtomically(files, "/a", "old").ok());
    int operations = 0;
    files.SetFault([&](absl::string_view operation, const std::string& path) {
      return operations++ == failing ? absl::UnavailableError("disk") : absl::OkStatus();
    });
    const absl::Status status = WriteFileAtomically(files, "/a", "new");
    files.SetFault(nullptr);
    const std::string now = ReadFile(files, "/a").value();
    EXPECT_THAT(files.List("/").value(), ElementsAre("a")) << failing;
    if (status.ok()) {
      EXPECT_EQ(now, "new");
      // create, write, sync, close, rename, sync directory.
      EXPECT_EQ(failing, 6);
      return;
    }
    // Only the last sync comes after the rename.
    EXPECT_EQ(now, failing == 5 ? "new" : "old") << failing;
  }
}

TEST(PathsTest, JoinDirectoryAndBaseName) {
  EXPECT_EQ(JoinPath("a/b", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("a/", "c"), "a/c");
  EXPECT_EQ(JoinPath("/", "c"), "/c");
  EXPECT_EQ(JoinPath("a", "/c"), "/c");
  EXPECT_EQ(JoinPath("", "c"), "c");
  EXPECT_EQ(JoinPath("a", ""), "a");
  EXPECT_EQ(DirectoryOf("a/b/c"), "a/b");
  EXPECT_EQ(DirectoryOf("/c"), "/");
  EXPECT_EQ(DirectoryOf("c"), ".");
  EXPECT_EQ(BaseName("a/b/c"), "c");
  EXPECT_EQ(BaseName("c"), "c");
}

}  // namespace
}  // namespace heroq
