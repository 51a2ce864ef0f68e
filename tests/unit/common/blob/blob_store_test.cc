#include "common/blob/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/blob/digest_proto.h"
#include "common/blob/directory_blob_store.h"
#include "common/status/error_reason.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

// The contract of BlobStore, for the directory and for the store that tests use in its place.
class BlobStoreTest : public ::testing::TestWithParam<bool> {
 protected:
  BlobStoreTest() : directory_(DirectoryBlobStore::Open(files_, "/blobs").value()) {}

  BlobStore& store() { return GetParam() ? static_cast<BlobStore&>(*directory_) : memory_; }
  void Corrupt(const Digest& digest) {
    memory_.Corrupt(digest);
    ASSERT_TRUE(files_.OpenForUpdate(directory_->PathOf(digest)).value()->WriteAt(0, "X").ok());
  }

  MemoryFileSystem files_;
  std::unique_ptr<DirectoryBlobStore> directory_;
  MemoryBlobStore memory_;
};

TEST_P(BlobStoreTest, BytesComeBackByTheirDigest) {
  const absl::StatusOr<Digest> digest = store().Put("some bytes", Durability::kDurable);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, DigestOf("some bytes"));
  EXPECT_EQ(store().Get(*digest).value(), "some bytes");
  EXPECT_TRUE(store().Contains(*digest).value());
  EXPECT_EQ(store().Get(store().Put("", Durability::kVolatile).value()).value(), "");
}

TEST_P(BlobStoreTest, WhatWasNeverStoredIsMissing) {
  const Digest digest = DigestOf("never stored");
  EXPECT_FALSE(store().Contains(digest).value());
  const absl::Status status = store().Get(digest).status();
  EXPECT_TRUE(HasReason(status, Reason::kBlobMissing)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(digest.sha256));
}

TEST_P(BlobStoreTest, CorruptBytesAreNeverReturnedAndCanBeStoredAgain) {
  for (BlobStore* each : {static_cast<BlobStore*>(directory_.get()), static_cast<BlobStore*>(&memory_)}) {
    ASSERT_TRUE(each->Put("precious", Durability::kDurable).ok());
  }
  const Digest digest = DigestOf("precious");
  Corrupt(digest);
  const absl::Status status = store().Get(digest).status();
  EXPECT_TRUE(HasReason(status, Reason::kBlobCorrupt)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(digest.sha256));
  EXPECT_TRUE(HasReason(store().Get(digest).status(), Reason::kBlobMissing));
  ASSERT_TRUE(store().Put("precious", Durability::kDurable).ok());
  EXPECT_EQ(store().Get(digest).value(), "precious");
}

TEST_P(BlobStoreTest, PiecesAreOneBlob) {
  const Digest digest = store().Put({"some ", "", "bytes"}, Durability::kDurable).value();
  EXPECT_EQ(digest, DigestOf("some bytes"));
  EXPECT_EQ(store().Get(digest).value(), "some bytes");
  EXPECT_EQ(store().Put(BlobPieces(), Durability::kVolatile).value(), DigestOf(""));
}

TEST_P(BlobStoreTest, WhatIsVolatileIsVerifiedByItsChecksum) {
  EXPECT_EQ(store().Put("durable", Durability::kDurable)->crc32c, std::nullopt);
  Digest digest = store().Put({"1234", "56789"}, Durability::kVolatile).value();
  // The check value of the CRC catalogue.
  EXPECT_EQ(digest.crc32c, 0xE3069283U);
  EXPECT_EQ(store().Get(digest).value(), "123456789");
  memory_.Put("123456789", Durability::kVolatile).value();
  directory_->Put("123456789", Durability::kVolatile).value();
  Corrupt(digest);
  EXPECT_TRUE(HasReason(store().Get(digest).status(), Reason::kBlobCorrupt));
  // By nothing else: these are the right bytes for the name.
  ASSERT_TRUE(store().Put("123456789", Durability::kVolatile).ok());
  digest.crc32c = 0;
  EXPECT_TRUE(HasReason(store().Get(digest).status(), Reason::kBlobCorrupt));
}

TEST(DigestProtoTest, KeepsAChecksumAndItsAbsence) {
  for (const Durability durability : {Durability::kDurable, Durability::kVolatile}) {
    const Digest digest = DigestOf(BlobPieces({"bytes"}), durability);
    const Digest back = DigestFromProto(DigestToProto(digest));
    EXPECT_EQ(back, digest);
    EXPECT_EQ(back.crc32c, digest.crc32c);
  }
}

TEST_P(BlobStoreTest, NamesThatAreNoDigestsAreRefused) {
  for (const Digest& digest :
       {Digest{"abc", 1}, Digest{std::string(64, 'A'), 1}, Digest{std::string(64, 'a'), -1},
        Digest{"../../../../../../../../../../../../../../../../../../../etc/pwd", 1}}) {
    EXPECT_TRUE(HasReason(store().Get(digest).status(), Reason::kInvalidSpec)) << digest.sha256;
    EXPECT_TRUE(HasReason(store().Contains(digest).status(), Reason::kInvalidSpec)) << digest.sha256;
  }
}

INSTANTIATE_TEST_SUITE_P(DirectoryAndMemory, BlobStoreTest, ::testing::Bool());

TEST(MemoryBlobStoreTest, DropVolatileKeepsWhatIsDurable) {
  MemoryBlobStore store;
  const Digest hidden = store.Put("hidden states", Durability::kVolatile).value();
  const Digest result = store.Put("result", Durability::kVolatile).value();
  ASSERT_TRUE(store.Put("result", Durability::kDurable).ok());
  store.DropVolatile();
  EXPECT_FALSE(store.Contains(hidden).value());
  EXPECT_TRUE(store.Contains(result).value());
}

}  // namespace
}  // namespace heroq
