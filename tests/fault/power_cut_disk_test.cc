#include "tests/support/power_cut_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/file/file_system.h"
#include "tests/support/power_cut_file_system.h"

namespace heroq {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kSeeds = 300;
constexpr int kSector = 512;

class PowerCutDiskTest : public testing::Test {
 protected:
  PowerCutDiskTest() {
    EXPECT_TRUE(files_.CreateDirectories("/a").ok());
    EXPECT_TRUE(files_.CreateDirectories("/b").ok());
    files_.disk().SyncAll();
  }

  // What `look` sees on the images of all seeds.
  template <typename Look>
  auto Seen(Look look) {
    std::set<decltype(look(std::declval<FileSystem&>()))> seen;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      PowerCutFileSystem after(files_.disk().AfterPowerCut(seed));
      seen.insert(look(after));
    }
    return seen;
  }
  auto SeenNames(const std::string& directory) {
    return Seen([&](FileSystem& files) { return *files.List(directory); });
  }
  auto SeenBytes(const std::string& path) {
    return Seen([&](FileSystem& files) { return *ReadFile(files, path); });
  }
  void Write(const std::string& path, const std::string& bytes, bool sync) {
    const auto file = files_.OpenForUpdate(path);
    ASSERT_TRUE((*file)->WriteAt(0, bytes).ok());
    ASSERT_TRUE(!sync || (*file)->Sync().ok());
  }
  void SyncDirectory(const std::string& path) { ASSERT_TRUE(files_.SyncDirectory(path).ok()); }

  using Names = std::vector<std::string>;
  PowerCutFileSystem files_{std::make_unique<PowerCutDisk>()};
};

TEST_F(PowerCutDiskTest, WhatIsSyncedStays) {
  Write("/a/file", "bytes", true);
  SyncDirectory("/a");
  EXPECT_THAT(SeenBytes("/a/file"), UnorderedElementsAre("bytes"));
}

TEST_F(PowerCutDiskTest, ASyncedFileWithoutASyncedNameMayBeGone) {
  Write("/a/file", "bytes", true);
  EXPECT_THAT(SeenNames("/a"), UnorderedElementsAre(Names{}, Names{"file"}));
}

TEST_F(PowerCutDiskTest, ASyncedNameWithoutSyncedBytesMayBeEmpty) {
  Write("/a/file", "bytes", false);
  SyncDirectory("/a");
  EXPECT_THAT(SeenBytes("/a/file"), UnorderedElementsAre("", "bytes"));
}

TEST_F(PowerCutDiskTest, WritesTearBetweenSectors) {
  const std::string before(3 * kSector, 'a'), after(3 * kSector, 'b');
  Write("/a/file", before, true);
  SyncDirectory("/a");
  Write("/a/file", after, false);
  const std::set<std::string> seen = SeenBytes("/a/file");
  EXPECT_EQ(seen.size(), 8u);
  for (const std::string& bytes : seen) {
    for (int sector = 0; sector < 3; ++sector) {
      EXPECT_THAT(bytes.substr(sector * kSector, kSector), Each(bytes[sector * kSector]));
    }
  }
}

TEST_F(PowerCutDiskTest, LaterWritesMayStayWithoutEarlierOnes) {
  SyncDirectory("/a");
  const auto file = files_.Create("/a/file");
  SyncDirectory("/a");
  ASSERT_TRUE((*file)->Append("1").ok());
  ASSERT_TRUE((*file)->Append("2").ok());
  EXPECT_THAT(SeenBytes("/a/file"), UnorderedElementsAre("", "1", "12",
                                                         std::string("\0"
                                                                     "2",
                                                                     2)));
}

TEST_F(PowerCutDiskTest, ARenameHappensWhollyOrNot) {
  Write("/a/old", "bytes", true);
  SyncDirectory("/a");
  ASSERT_TRUE(files_.Rename("/a/old", "/b/new").ok());
  const auto both = [](FileSystem& files) { return std::make_pair(*files.List("/a"), *files.List("/b")); };
  EXPECT_THAT(Seen(both), UnorderedElementsAre(std::make_pair(Names{"old"}, Names{}),
                                               std::make_pair(Names{}, Names{"new"})));
  SyncDirectory("/b");
  EXPECT_THAT(Seen(both), UnorderedElementsAre(std::make_pair(Names{}, Names{"new"})));
}

TEST_F(PowerCutDiskTest, ASyncedRenameOfAnUnsyncedNameDoesNotBringTheOldNameBack) {
  Write("/a/old", "bytes", true);
  ASSERT_TRUE(files_.Rename("/a/old", "/b/new").ok());
  SyncDirectory("/b");
  EXPECT_THAT(SeenNames("/a"), UnorderedElementsAre(Names{}));
  EXPECT_THAT(SeenBytes("/b/new"), UnorderedElementsAre("bytes"));
}

TEST_F(PowerCutDiskTest, RemovalsMayBeUndoneInParts) {
  Write("/a/1", "", true);
  Write("/a/2", "", true);
  SyncDirectory("/a");
  ASSERT_TRUE(files_.RemoveTree("/a").ok());
  const auto left = [](FileSystem& files) { return files.Exists("/a") ? *files.List("/a") : Names{"none"}; };
  EXPECT_THAT(Seen(left),
              UnorderedElementsAre(Names{"none"}, Names{}, Names{"1"}, Names{"2"}, Names{"1", "2"}));
  SyncDirectory("/");
  EXPECT_THAT(Seen(left), UnorderedElementsAre(Names{"none"}));
}

TEST_F(PowerCutDiskTest, DirectoriesMadeDurablyStayWithTheirParents) {
  ASSERT_TRUE(CreateDirectoriesDurably(files_, "/a/new/and/deep").ok());
  ASSERT_TRUE(files_.CreateDirectories("/b/new").ok());
  const auto there = [](FileSystem& files) {
    return std::make_pair(files.Exists("/a/new/and/deep"), files.Exists("/b/new"));
  };
  EXPECT_THAT(Seen(there), UnorderedElementsAre(std::make_pair(true, false), std::make_pair(true, true)));
}

TEST_F(PowerCutDiskTest, EveryFourthSeedLosesEverythingAndTheNextOneNothing) {
  Write("/a/1", "1", false);
  Write("/a/2", "2", false);
  PowerCutFileSystem none(files_.disk().AfterPowerCut(8)), all(files_.disk().AfterPowerCut(9));
  EXPECT_THAT(*none.List("/a"), IsEmpty());
  EXPECT_EQ(*ReadFile(all, "/a/1") + *ReadFile(all, "/a/2"), "12");
}

}  // namespace
}  // namespace heroq
