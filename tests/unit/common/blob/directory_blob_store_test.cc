#include "common/blob/directory_blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/status/error_reason.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DirectoryBlobStoreTest : public ::testing::Test {
 protected:
  DirectoryBlobStoreTest() : store_(DirectoryBlobStore::Open(files_, "/state/blobs").value()) {}

  // The operations on files from now on, as "name path".
  void Record() {
    files_.SetFault([this](absl::string_view operation, const std::string& path) {
      operations_.push_back(std::string(operation) + " " + path);
      return absl::OkStatus();
    });
  }

  MemoryFileSystem files_;
  std::unique_ptr<DirectoryBlobStore> store_;
  std::vector<std::string> operations_;
};

TEST_F(DirectoryBlobStoreTest, FilesAreNamedByTheirDigest) {
  const Digest digest = store_->Put("abc", Durability::kDurable).value();
  // FIPS 180-2, appendix B.1.
  const std::string sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(digest.sha256, sha);
  EXPECT_EQ(digest.size_bytes, 3);
  EXPECT_EQ(store_->PathOf(digest), "/state/blobs/b/" + sha);
  EXPECT_EQ(ReadFile(files_, store_->PathOf(digest)).value(), "abc");
  EXPECT_THAT(files_.List("/state/blobs/tmp").value(), IsEmpty());
}

TEST_F(DirectoryBlobStoreTest, ADurableBlobIsSyncedBeforeAndAfterItsRename) {
  Record();
  const Digest digest = store_->Put("abc", Durability::kDurable).value();
  std::vector<std::string> kinds;
  for (const std::string& operation : operations_) kinds.push_back(operation.substr(0, operation.find(" /")));
  EXPECT_THAT(kinds, ElementsAre("stat", "create", "write", "close", "stat", "create", "sync", "close",
                                 "rename", "sync directory"));
  EXPECT_THAT(operations_, Contains("sync directory /state/blobs/b"));
}

TEST_F(DirectoryBlobStoreTest, AVolatileBlobIsNotSyncedUntilItIsStoredAsDurable) {
  Record();
  const Digest digest = store_->Put("abc", Durability::kVolatile).value();
  for (const std::string& operation : operations_) EXPECT_NE(operation.substr(0, 4), "sync") << operation;
  operations_.clear();
  ASSERT_TRUE(store_->Put("abc", Durability::kDurable).ok());
  EXPECT_THAT(operations_, Contains("sync " + store_->PathOf(digest)));
  EXPECT_THAT(operations_, Contains("sync directory /state/blobs/b"));
  operations_.clear();
  ASSERT_TRUE(store_->Put("abc", Durability::kVolatile).ok());
  EXPECT_THAT(operations_, ElementsAre("stat " + store_->PathOf(digest)));
}

TEST_F(DirectoryBlobStoreTest, AFailureAtAnyStepLeavesNoPartialBlob) {
  const Digest digest = DigestOf("bytes");
  for (int failing = 0;; ++failing) {
    int operations = 0;
    files_.SetFault([&](absl::string_view operation, const std::string& path) {
      return operations++ == failing ? absl::UnavailableError("disk") : absl::OkStatus();
    });
    const absl::Status status = store_->Put("bytes", Durability::kDurable).status();
    files_.SetFault(nullptr);
    const absl::StatusOr<std::string> bytes = store_->Get(digest);
    EXPECT_TRUE(bytes.ok() ? *bytes == "bytes" : HasReason(bytes.status(), Reason::kBlobMissing)) << failing;
    EXPECT_THAT(files_.List("/state/blobs/tmp").value(), IsEmpty()) << failing;
    if (status.ok()) break;
    ASSERT_TRUE(store_->Remove(digest).ok());
    ASSERT_LT(failing, 20);
  }
  EXPECT_EQ(store_->Get(digest).value(), "bytes");
}

TEST_F(DirectoryBlobStoreTest, AFileOfTheWrongSizeIsNotTheBlob) {
  const Digest digest = store_->Put("whole", Durability::kVolatile).value();
  ASSERT_TRUE(WriteFileAtomically(files_, store_->PathOf(digest), "who").ok());
  EXPECT_FALSE(store_->Contains(digest).value());
  ASSERT_TRUE(store_->Put("whole", Durability::kDurable).ok());
  EXPECT_EQ(store_->Get(digest).value(), "whole");
  ASSERT_TRUE(WriteFileAtomically(files_, store_->PathOf(digest), "who").ok());
  EXPECT_TRUE(HasReason(store_->Get(digest).status(), Reason::kBlobCorrupt));
  ASSERT_TRUE(WriteFileAtomically(files_, store_->PathOf(digest), "whole and more").ok());
  EXPECT_TRUE(HasReason(store_->Get(digest).status(), Reason::kBlobCorrupt));
}

TEST_F(DirectoryBlobStoreTest, AnUploadedFileIsAdopted) {
  const Digest digest = DigestOf("uploaded");
  const std::string temporary = store_->TemporaryPath();
  EXPECT_NE(temporary, store_->TemporaryPath());
  ASSERT_TRUE(files_.Create(temporary).value()->Append("uploaded").ok());
  ASSERT_TRUE(store_->Adopt(temporary, digest, Durability::kDurable).ok());
  EXPECT_EQ(store_->Get(digest).value(), "uploaded");
  EXPECT_FALSE(files_.Exists(temporary));
}

TEST_F(DirectoryBlobStoreTest, AnUploadedFileDoesNotReplaceTheBlobThatIsThere) {
  const Digest digest = store_->Put("uploaded", Durability::kDurable).value();
  Record();
  for (Durability durability : {Durability::kVolatile, Durability::kDurable}) {
    const std::string temporary = store_->TemporaryPath();
    ASSERT_TRUE(files_.Create(temporary).value()->Append("uploaded").ok());
    operations_.clear();
    ASSERT_TRUE(store_->Adopt(temporary, digest, durability).ok());
    EXPECT_FALSE(files_.Exists(temporary));
    for (const std::string& operation : operations_) EXPECT_NE(operation.substr(0, 6), "rename") << operation;
  }
  EXPECT_THAT(operations_, Contains("sync " + store_->PathOf(digest)));
}

TEST_F(DirectoryBlobStoreTest, ListsAndRemovesBlobs) {
  const Digest a = store_->Put("a", Durability::kVolatile).value();
  const Digest b = store_->Put("bb", Durability::kVolatile).value();
  ASSERT_TRUE(files_.Create("/state/blobs/0/00stray").ok());
  EXPECT_THAT(store_->ListBlobs().value(), UnorderedElementsAre(a, b));
  ASSERT_TRUE(store_->Remove(a).ok());
  ASSERT_TRUE(store_->Remove(a).ok());
  EXPECT_THAT(store_->ListBlobs().value(), ElementsAre(b));
}

TEST_F(DirectoryBlobStoreTest, OpeningAgainFindsWhatIsThere) {
  const Digest digest = store_->Put("kept", Durability::kDurable).value();
  const auto again = DirectoryBlobStore::Open(files_, "/state/blobs");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->Get(digest).value(), "kept");
}

}  // namespace
}  // namespace heroq
