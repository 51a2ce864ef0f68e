#include "coordinator/service/interrupted_uploads.h"

#include <gtest/gtest.h>

#include <memory>

#include "common/file/crc32c.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

class InterruptedUploadsTest : public testing::Test {
 protected:
  // One that holds a byte.
  void Keep(absl::string_view bytes) {
    auto upload = *BlobUpload::Start(files_, *blobs_, DigestOf(bytes));
    ASSERT_TRUE(upload->Append(0, bytes.substr(0, 1), Crc32c(bytes.substr(0, 1))).ok());
    uploads_.Keep(std::move(upload));
  }
  size_t TemporaryFiles() { return files_.List("/blobs/tmp")->size(); }

  FakeClock clock_;
  MemoryFileSystem files_;
  std::unique_ptr<DirectoryBlobStore> blobs_ = *DirectoryBlobStore::Open(files_, "/blobs");
  InterruptedUploads uploads_{clock_, 2, absl::Minutes(10)};
};

TEST_F(InterruptedUploadsTest, OldestGoesWhenThereAreTooMany) {
  for (const char* bytes : {"aa", "bb", "cc"}) Keep(bytes);
  EXPECT_EQ(uploads_.CommittedBytes(DigestOf("aa")), 0);
  EXPECT_EQ(uploads_.CommittedBytes(DigestOf("bb")), 1);
  EXPECT_EQ(TemporaryFiles(), 2u);
  EXPECT_NE(uploads_.Take(DigestOf("bb")), nullptr);
  EXPECT_EQ(uploads_.Take(DigestOf("bb")), nullptr);
}

TEST_F(InterruptedUploadsTest, WhatNobodyGoesOnWithIsDroppedAfterAWhile) {
  Keep("aa");
  clock_.Advance(absl::Minutes(6));
  Keep("bb");
  clock_.Advance(absl::Minutes(4));
  uploads_.DropOld();
  EXPECT_EQ(TemporaryFiles(), 2u);
  clock_.Advance(absl::Seconds(1));
  uploads_.DropOld();
  EXPECT_EQ(uploads_.CommittedBytes(DigestOf("aa")), 0);
  EXPECT_EQ(uploads_.CommittedBytes(DigestOf("bb")), 1);
  EXPECT_EQ(TemporaryFiles(), 1u);
}

}  // namespace
}  // namespace heroq
