#include "coordinator/service/upload_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/blob/digest_proto.h"
#include "common/rpc/rpc_limits.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_file_system.h"

namespace heroq {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UploadStreamTest : public testing::Test {
 protected:
  absl::StatusOr<bool> Begin(const Digest& digest, bool may_be_lost) {
    v1::WriteBlobRequest header;
    *header.mutable_digest() = DigestToProto(digest);
    header.set_may_be_lost(may_be_lost);
    stream_ = std::make_unique<UploadStream>(files_, *blobs_, interrupted_, check_token_, &response_);
    return stream_->Take(header);
  }
  // The files that were synced from now on.
  void RecordSyncs() {
    files_.SetFault([this](absl::string_view operation, const std::string& path) {
      if (operation.substr(0, 4) == "sync") synced_.push_back(path);
      return absl::OkStatus();
    });
  }

  FakeClock clock_;
  MemoryFileSystem files_;
  std::unique_ptr<DirectoryBlobStore> blobs_ = *DirectoryBlobStore::Open(files_, "/blobs");
  InterruptedUploads interrupted_{clock_, 2, absl::Minutes(10)};
  const std::function<absl::Status(const v1::LeaseToken&)> check_token_ = [](const v1::LeaseToken&) {
    return absl::OkStatus();
  };
  v1::WriteBlobResponse response_;
  std::unique_ptr<UploadStream> stream_;
  std::vector<std::string> synced_;
};

TEST_F(UploadStreamTest, BlobStoredAsVolatileIsSyncedWhenItMustLast) {
  const Digest digest = *blobs_->Put("bytes", Durability::kVolatile);
  RecordSyncs();
  EXPECT_EQ(Begin(digest, true).value(), true);
  EXPECT_THAT(synced_, IsEmpty());
  EXPECT_EQ(Begin(digest, false).value(), true);
  EXPECT_TRUE(response_.complete());
  EXPECT_THAT(synced_, Contains(blobs_->PathOf(digest)));
}

TEST_F(UploadStreamTest, BlobThatCannotBeSyncedIsNotComplete) {
  const Digest digest = *blobs_->Put("bytes", Durability::kVolatile);
  files_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "sync" ? absl::DataLossError("disk") : absl::OkStatus();
  });
  EXPECT_FALSE(Begin(digest, false).ok());
  EXPECT_FALSE(response_.complete());
}

TEST_F(UploadStreamTest, LargestBlobIsRefusedBeforeItsBytes) {
  Digest digest = DigestOf("bytes");
  digest.size_bytes = kMaxBlobBytes;
  EXPECT_EQ(Begin(digest, true).value(), false);
  digest.size_bytes = kMaxBlobBytes + 1;
  const absl::Status status = Begin(digest, true).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(status.message(), HasSubstr("17179869185 bytes; at most 17179869184"));
}

}  // namespace
}  // namespace heroq
