#include "coordinator/service/blob_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/blob/digest_proto.h"
#include "common/blob/remote_blob_store.h"
#include "common/file/crc32c.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/recording_sleeper.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

using ::testing::IsEmpty;

class BlobServiceTest : public ::testing::Test {
 protected:
  v1::WriteBlobRequest Header(const Digest& digest, int64_t offset) {
    v1::WriteBlobRequest message;
    *message.mutable_digest() = DigestToProto(digest);
    message.set_write_offset(offset);
    return message;
  }
  v1::WriteBlobRequest Chunk(int64_t offset, const std::string& data) {
    v1::WriteBlobRequest message;
    message.set_write_offset(offset);
    message.set_data(data);
    message.set_crc32c(Crc32c(data));
    return message;
  }
  // Sends the messages, closes, and returns how the call ended.
  absl::Status Write(const std::vector<v1::WriteBlobRequest>& messages) {
    grpc::ClientContext context;
    response_.Clear();
    const auto writer = stub_->WriteBlob(&context, &response_);
    for (const auto& message : messages) {
      if (!writer->Write(message)) break;
    }
    writer->WritesDone();
    return FromGrpcStatus(writer->Finish());
  }
  int64_t Committed(const Digest& digest) {
    grpc::ClientContext context;
    v1::QueryBlobUploadRequest request;
    *request.mutable_digest() = DigestToProto(digest);
    v1::QueryBlobUploadResponse response;
    EXPECT_TRUE(stub_->QueryBlobUpload(&context, request, &response).ok());
    return response.committed_bytes();
  }
  std::vector<std::string> TemporaryFiles() {
    return *FileSystem::Posix().List(directory_.File("blobs/tmp"));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<DirectoryBlobStore> blobs_ =
      *DirectoryBlobStore::Open(FileSystem::Posix(), directory_.File("blobs"));
  std::atomic<int> live_checks_{1 << 30};
  FakeClock clock_;
  // Before the server, which ends its calls first.
  std::unique_ptr<ThreadPool> pool_ = std::make_unique<ThreadPool>(2);
  BlobServiceContext context_{FileSystem::Posix(), *blobs_, *pool_,
                              [this](const v1::LeaseToken&) {
                                return live_checks_-- > 0 ? absl::OkStatus()
                                                          : MakeError(Reason::kStaleAttempt, "lease is over");
                              },
                              clock_};
  BlobService service_{context_};
  TestServer server_{{&service_}};
  std::unique_ptr<v1::BlobService::Stub> stub_ = v1::BlobService::NewStub(server_.channel());
  v1::WriteBlobResponse response_;
  const std::string bytes_ = "0123456789";
  const Digest digest_ = DigestOf(bytes_);
};

TEST_F(BlobServiceTest, UploadedBlobIsInTheStore) {
  ASSERT_TRUE(Write({Header(digest_, 0), Chunk(0, "01234"), Chunk(5, "56789")}).ok());
  EXPECT_TRUE(response_.complete());
  EXPECT_EQ(*blobs_->Get(digest_), bytes_);
  EXPECT_THAT(TemporaryFiles(), IsEmpty());
}

TEST_F(BlobServiceTest, EndedStreamIsKeptAndGoesOnAtItsOffset) {
  ASSERT_TRUE(Write({Header(digest_, 0), Chunk(0, "012345")}).ok());
  EXPECT_FALSE(response_.complete());
  EXPECT_EQ(response_.committed_bytes(), 6);
  EXPECT_EQ(Committed(digest_), 6);
  // Another offset is answered with the right one.
  ASSERT_TRUE(Write({Header(digest_, 2), Chunk(2, "2345")}).ok());
  EXPECT_FALSE(response_.complete());
  EXPECT_EQ(response_.committed_bytes(), 6);
  ASSERT_TRUE(Write({Header(digest_, 6), Chunk(6, "6789")}).ok());
  EXPECT_TRUE(response_.complete());
  EXPECT_EQ(*blobs_->Get(digest_), bytes_);
}

TEST_F(BlobServiceTest, FlippedBitIsRefusedAndTheBytesBeforeItStay) {
  v1::WriteBlobRequest flipped = Chunk(5, "56789");
  (*flipped.mutable_data())[2] ^= 1;
  EXPECT_TRUE(HasReason(Write({Header(digest_, 0), Chunk(0, "01234"), flipped}), Reason::kBlobCorrupt));
  EXPECT_FALSE(*blobs_->Contains(digest_));
  EXPECT_EQ(Committed(digest_), 5);
}

TEST_F(BlobServiceTest, BytesOfAnotherDigestAreRefusedAndForgotten) {
  EXPECT_TRUE(HasReason(Write({Header(digest_, 0), Chunk(0, "012345678X")}), Reason::kBlobCorrupt));
  EXPECT_FALSE(*blobs_->Contains(digest_));
  EXPECT_EQ(Committed(digest_), 0);
  EXPECT_THAT(TemporaryFiles(), IsEmpty());
}

TEST_F(BlobServiceTest, ExcessByteIsRefused) {
  EXPECT_TRUE(HasReason(Write({Header(digest_, 0), Chunk(0, "0123456789X")}), Reason::kBlobCorrupt));
}

TEST_F(BlobServiceTest, ChunksAreAtMostOneMebibyteAndInOrder) {
  const std::string big(kMaxChunkBytes + 1, 'x');
  EXPECT_TRUE(HasReason(Write({Header(DigestOf(big), 0), Chunk(0, big)}), Reason::kInvalidSpec));
  EXPECT_TRUE(HasReason(Write({Header(digest_, 0), Chunk(1, "123456789")}), Reason::kInvalidSpec));
  EXPECT_TRUE(HasReason(Write({}), Reason::kInvalidSpec));
  EXPECT_TRUE(HasReason(Write({Header(Digest{"../../etc/passwd", 3}, 0)}), Reason::kInvalidSpec));
}

TEST_F(BlobServiceTest, StaleTokenIsRefusedAlsoBetweenChunks) {
  live_checks_ = 0;
  EXPECT_TRUE(HasReason(Write({Header(digest_, 0), Chunk(0, bytes_)}), Reason::kStaleAttempt));
  // At the start and for the first chunk it lives.
  live_checks_ = 2;
  EXPECT_TRUE(
      HasReason(Write({Header(digest_, 0), Chunk(0, "01234"), Chunk(5, "56789")}), Reason::kStaleAttempt));
  EXPECT_FALSE(*blobs_->Contains(digest_));
}

TEST_F(BlobServiceTest, BlobThatIsThereEndsTheUploadEarly) {
  ASSERT_TRUE(blobs_->Put(bytes_, Durability::kVolatile).ok());
  ASSERT_TRUE(Write({Header(digest_, 0)}).ok());
  EXPECT_TRUE(response_.complete());
  EXPECT_EQ(Committed(digest_), 10);
}

TEST_F(BlobServiceTest, ReadsRanges) {
  ASSERT_TRUE(blobs_->Put(bytes_, Durability::kVolatile).ok());
  auto read = [&](int64_t offset, int64_t limit, std::string* data) {
    grpc::ClientContext context;
    v1::ReadBlobRequest request;
    *request.mutable_digest() = DigestToProto(digest_);
    request.set_read_offset(offset);
    request.set_read_limit(limit);
    const auto reader = stub_->ReadBlob(&context, request);
    v1::ReadBlobResponse chunk;
    data->clear();
    while (reader->Read(&chunk)) {
      EXPECT_EQ(chunk.crc32c(), Crc32c(chunk.data()));
      data->append(chunk.data());
    }
    return FromGrpcStatus(reader->Finish());
  };
  std::string data;
  EXPECT_TRUE(read(0, 0, &data).ok());
  EXPECT_EQ(data, bytes_);
  EXPECT_TRUE(read(3, 4, &data).ok());
  EXPECT_EQ(data, "3456");
  EXPECT_TRUE(read(8, 100, &data).ok());
  EXPECT_EQ(data, "89");
  EXPECT_TRUE(read(10, 0, &data).ok());
  EXPECT_EQ(data, "");
  EXPECT_TRUE(HasReason(read(11, 0, &data), Reason::kInvalidSpec));
  EXPECT_TRUE(HasReason(read(-1, 0, &data), Reason::kInvalidSpec));
  ASSERT_TRUE(blobs_->Remove(digest_).ok());
  EXPECT_TRUE(HasReason(read(0, 0, &data), Reason::kBlobMissing));
}

TEST_F(BlobServiceTest, MoreUploadsThanTheBudgetHoldsAllFinish) {
  // Room for one message at a time.
  context_.budget.Acquire((int64_t{128} << 20) - kMaxRequestBytes, [] {});
  RecordingSleeper sleeper;
  std::vector<std::thread> uploaders;
  std::atomic<int> stored{0};
  for (int i = 0; i < 6; ++i) {
    uploaders.emplace_back([&, i] {
      RemoteBlobStore store(
          server_.channel(), [] { return v1::LeaseToken(); }, Cancellation(), sleeper, [] { return 0.5; },
          {});
      const std::string bytes(3 * kMaxChunkBytes + 17, static_cast<char>('a' + i));
      const auto digest = store.Put(bytes, Durability::kVolatile);
      const auto back = digest.ok() ? store.Get(*digest) : digest.status();
      if (back.ok() && *back == bytes) ++stored;
    });
  }
  for (std::thread& uploader : uploaders) uploader.join();
  EXPECT_EQ(stored, 6);
}

TEST_F(BlobServiceTest, SenderThatIsSilentIsGivenUpAndItsCreditGoesToOthers) {
  // Room for one message at a time.
  context_.budget.Acquire((int64_t{128} << 20) - kMaxRequestBytes, [] {});
  grpc::ClientContext silent;
  v1::WriteBlobResponse response;
  const auto writer = stub_->WriteBlob(&silent, &response);
  ASSERT_TRUE(writer->Write(Header(digest_, 0)));
  ASSERT_TRUE(writer->Write(Chunk(0, "01234")));
  std::atomic<bool> ended{false};
  std::thread waits([&] {
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
    ended = true;
  });
  while (!ended) {
    clock_.Advance(absl::Seconds(61));
    context_.stalled.CancelStalled();
    std::this_thread::yield();
  }
  waits.join();
  RecordingSleeper sleeper;
  RemoteBlobStore store(
      server_.channel(), [] { return v1::LeaseToken(); }, Cancellation(), sleeper, [] { return 0.5; },
      {.retry = {}, .chunk_bytes = kMaxChunkBytes, .call_timeout = absl::Seconds(20)});
  const absl::StatusOr<Digest> stored = store.Put("other bytes", Durability::kVolatile);
  EXPECT_TRUE(stored.ok()) << stored.status();
}

}  // namespace
}  // namespace heroq
