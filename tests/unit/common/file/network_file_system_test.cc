#include "common/file/network_file_system.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(NetworkFileSystemTest, NetworkFileSystemsAreKnownByTheirMagicNumbers) {
  // linux/magic.h: NFS_SUPER_MAGIC, CIFS_SUPER_MAGIC, V9FS_MAGIC; EXT4, TMPFS, OVERLAYFS and XFS are local.
  EXPECT_EQ(NetworkFileSystemName(0x6969), "NFS");
  EXPECT_EQ(NetworkFileSystemName(0xFF534D42), "SMB");
  EXPECT_EQ(NetworkFileSystemName(0x01021997), "9P");
  for (int64_t local : {0xEF53, 0x01021994, 0x794C7630, 0x58465342}) {
    EXPECT_EQ(NetworkFileSystemName(local), std::nullopt);
  }
}

TEST(NetworkFileSystemTest, WhatIsNotThereIsNotTakenForLocal) {
  EXPECT_TRUE(HasReason(RefuseNetworkFileSystem("/no/such/directory", "state", "go away"), Reason::kIo));
  EXPECT_TRUE(RefuseNetworkFileSystem("/dev/shm", "state", "go away").ok());
}

}  // namespace
}  // namespace heroq
