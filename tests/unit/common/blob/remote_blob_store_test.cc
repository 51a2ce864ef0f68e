#include "common/blob/remote_blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/blob/digest_proto.h"
#include "common/file/crc32c.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/recording_sleeper.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Blobs in memory, with faults on request. Counts are of calls from now on.
class FaultyBlobService final : public v1::BlobService::Service {
 public:
  grpc::Status WriteBlob(grpc::ServerContext*, grpc::ServerReader<v1::WriteBlobRequest>* reader,
                         v1::WriteBlobResponse* response) override {
    absl::MutexLock lock(&mutex_);
    v1::WriteBlobRequest message;
    reader->Read(&message);
    headers.push_back(message);
    const std::string name = message.digest().sha256();
    std::string& bytes = uploads[name];
    if (refusal.has_value()) return ToGrpcStatus(*refusal);
    if (blobs.count(name) > 0) {
      response->set_complete(true);
      return grpc::Status::OK;
    }
    if (message.write_offset() != static_cast<int64_t>(bytes.size())) {
      response->set_committed_bytes(bytes.size());
      return grpc::Status::OK;
    }
    while (reader->Read(&message)) {
      EXPECT_EQ(message.write_offset(), static_cast<int64_t>(bytes.size()));
      EXPECT_EQ(message.crc32c(), Crc32c(message.data()));
      if (break_writes_after_chunks == 0) {
        return ToGrpcStatus(MakeError(Reason::kUnavailable, "connection lost"));
      }
      --break_writes_after_chunks;
      bytes += message.data();
    }
    blobs[name] = bytes;
    response->set_complete(true);
    return grpc::Status::OK;
  }

  grpc::Status QueryBlobUpload(grpc::ServerContext*, const v1::QueryBlobUploadRequest* request,
                               v1::QueryBlobUploadResponse* response) override {
    absl::MutexLock lock(&mutex_);
    // The next call succeeds.
    break_writes_after_chunks = -1;
    response->set_committed_bytes(uploads[request->digest().sha256()].size());
    if (stored_by_another_meanwhile) {
      blobs[request->digest().sha256()] = "";
      response->set_complete(true);
      response->set_committed_bytes(request->digest().size_bytes());
    }
    return grpc::Status::OK;
  }

  grpc::Status ReadBlob(grpc::ServerContext*, const v1::ReadBlobRequest* request,
                        grpc::ServerWriter<v1::ReadBlobResponse>* writer) override {
    absl::MutexLock lock(&mutex_);
    read_offsets.push_back(request->read_offset());
    const auto blob = blobs.find(request->digest().sha256());
    if (blob == blobs.end()) return ToGrpcStatus(MakeError(Reason::kBlobMissing, "no such blob"));
    for (std::size_t at = request->read_offset(); at < blob->second.size(); at += 10) {
      v1::ReadBlobResponse chunk;
      chunk.set_data(blob->second.substr(at, 10));
      chunk.set_crc32c(Crc32c(chunk.data()));
      if (flip_bit_of_chunk-- == 0) (*chunk.mutable_data())[0] ^= 1;
      if (break_reads_after_chunks-- == 0)
        return ToGrpcStatus(MakeError(Reason::kUnavailable, "connection lost"));
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }

  grpc::Status FindMissingBlobs(grpc::ServerContext*, const v1::FindMissingBlobsRequest* request,
                                v1::FindMissingBlobsResponse* response) override {
    absl::MutexLock lock(&mutex_);
    if (failures_to_find-- > 0) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting");
    for (const auto& digest : request->digests()) {
      if (blobs.count(digest.sha256()) == 0) *response->add_missing() = digest;
    }
    return grpc::Status::OK;
  }

  absl::Mutex mutex_;
  std::map<std::string, std::string> blobs, uploads;
  std::vector<v1::WriteBlobRequest> headers;
  std::vector<int64_t> read_offsets;
  std::optional<absl::Status> refusal;
  int break_writes_after_chunks = -1;
  int break_reads_after_chunks = -1;
  int flip_bit_of_chunk = -1;
  int failures_to_find = 0;
  bool stored_by_another_meanwhile = false;
};

// The service under its lock, for as long as the statement that asked for it.
class LockedService {
 public:
  explicit LockedService(FaultyBlobService& service) : service_(service), lock_(&service.mutex_) {}
  FaultyBlobService* operator->() { return &service_; }

 private:
  FaultyBlobService& service_;
  absl::MutexLock lock_;
};

class RemoteBlobStoreTest : public ::testing::Test {
 protected:
  // 95 bytes: ten chunks of 10, the last one short.
  const std::string bytes_ = std::string(40, 'a') + std::string(40, 'b') + std::string(15, 'c');
  const Digest digest_ = DigestOf(bytes_);
  LockedService service() { return LockedService(service_); }
  FaultyBlobService service_;
  TestServer server_{{&service_}};
  RecordingSleeper sleeper_;
  Cancellation cancellation_;
  RemoteBlobStore store_{server_.channel(),
                         [] {
                           v1::LeaseToken token;
                           token.set_lease_id("lease-7");
                           return token;
                         },
                         cancellation_,
                         sleeper_,
                         [] { return 0.5; },
                         RemoteBlobOptions{.retry = {.max_attempts = 3, .backoff = {}}, .chunk_bytes = 10}};
};

TEST_F(RemoteBlobStoreTest, PutThenGetGivesTheSameBytes) {
  EXPECT_EQ(*store_.Put(bytes_, Durability::kVolatile), digest_);
  EXPECT_EQ(service()->blobs.at(digest_.sha256), bytes_);
  EXPECT_EQ(service()->headers.at(0).token().lease_id(), "lease-7");
  EXPECT_TRUE(service()->headers.at(0).may_be_lost());
  EXPECT_EQ(*store_.Get(digest_), bytes_);
  EXPECT_EQ(*store_.Put("", Durability::kDurable), DigestOf(""));
  EXPECT_FALSE(service()->headers.at(1).may_be_lost());
  EXPECT_EQ(*store_.Get(DigestOf("")), "");
  const Digest joined = store_.Put({"in ", "two pieces"}, Durability::kVolatile).value();
  EXPECT_EQ(*store_.Get(joined), "in two pieces");
  EXPECT_THAT(sleeper_.slept(), IsEmpty());
}

TEST_F(RemoteBlobStoreTest, BrokenUploadGoesOnWhereItStopped) {
  service()->break_writes_after_chunks = 4;
  EXPECT_EQ(*store_.Put(bytes_, Durability::kDurable), digest_);
  EXPECT_EQ(service()->blobs.at(digest_.sha256), bytes_);
  ASSERT_EQ(service()->headers.size(), 2u);
  EXPECT_EQ(service()->headers[1].write_offset(), 40);
}

TEST_F(RemoteBlobStoreTest, UploadGoesOnAfterBytesOfAnEarlierOne) {
  service()->uploads[digest_.sha256] = bytes_.substr(0, 70);
  EXPECT_EQ(*store_.Put(bytes_, Durability::kDurable), digest_);
  EXPECT_EQ(service()->blobs.at(digest_.sha256), bytes_);
  EXPECT_EQ(service()->headers.back().write_offset(), 70);
  EXPECT_THAT(sleeper_.slept(), IsEmpty());
}

TEST_F(RemoteBlobStoreTest, BlobThatIsThereIsNotSentAgain) {
  service()->blobs[digest_.sha256] = bytes_;
  EXPECT_EQ(*store_.Put(bytes_, Durability::kDurable), digest_);
  EXPECT_EQ(service()->uploads[digest_.sha256], "");
}

TEST_F(RemoteBlobStoreTest, StaleTokenIsNotRetried) {
  service()->refusal = MakeError(Reason::kStaleAttempt, "lease is over");
  EXPECT_TRUE(HasReason(store_.Put(bytes_, Durability::kDurable).status(), Reason::kStaleAttempt));
  EXPECT_EQ(service()->headers.size(), 1u);
}

TEST_F(RemoteBlobStoreTest, AttemptsWithoutProgressAreSpent) {
  service()->refusal = MakeError(Reason::kUnavailable, "down");
  EXPECT_TRUE(HasReason(store_.Put(bytes_, Durability::kDurable).status(), Reason::kUnavailable));
  EXPECT_EQ(service()->headers.size(), 3u);
}

TEST_F(RemoteBlobStoreTest, BrokenDownloadGoesOnWhereItStopped) {
  service()->blobs[digest_.sha256] = bytes_;
  service()->break_reads_after_chunks = 3;
  EXPECT_EQ(*store_.Get(digest_), bytes_);
  EXPECT_THAT(service()->read_offsets, ElementsAre(0, 30));
}

TEST_F(RemoteBlobStoreTest, BitFlipOnTheWireIsReadAgain) {
  service()->blobs[digest_.sha256] = bytes_;
  service()->flip_bit_of_chunk = 2;
  EXPECT_EQ(*store_.Get(digest_), bytes_);
  // From the bad chunk on: its CRC32C gives it away, not the SHA-256 at the end.
  EXPECT_THAT(service()->read_offsets, ElementsAre(0, 20));
}

TEST_F(RemoteBlobStoreTest, WrongBytesThatStayWrongAreCorrupt) {
  service()->blobs[digest_.sha256] = std::string(95, 'x');
  EXPECT_TRUE(HasReason(store_.Get(digest_).status(), Reason::kBlobCorrupt));
  EXPECT_THAT(service()->read_offsets, ElementsAre(0, 0, 0));
  service()->blobs[digest_.sha256] = bytes_ + "more";
  EXPECT_TRUE(HasReason(store_.Get(digest_).status(), Reason::kBlobCorrupt));
}

TEST_F(RemoteBlobStoreTest, MissingBlobIsNamed) {
  EXPECT_TRUE(HasReason(store_.Get(digest_).status(), Reason::kBlobMissing));
  EXPECT_TRUE(HasReason(store_.Get(Digest{"zz", 1}).status(), Reason::kInvalidSpec));
}

TEST_F(RemoteBlobStoreTest, BrokenUploadOfWhatIsThereByNowIsAskedToLastOnlyIfItMust) {
  for (const Durability durability : {Durability::kVolatile, Durability::kDurable}) {
    service()->blobs.clear();
    service()->uploads.clear();
    service()->headers.clear();
    service()->break_writes_after_chunks = 3;
    service()->stored_by_another_meanwhile = true;
    EXPECT_EQ(*store_.Put(bytes_, durability), digest_);
    ASSERT_EQ(service()->headers.size(), durability == Durability::kDurable ? 2u : 1u);
    EXPECT_EQ(service()->headers.back().may_be_lost(), durability == Durability::kVolatile);
  }
}

TEST_F(RemoteBlobStoreTest, FindMissingRetriesAndKeepsTheOrder) {
  service()->failures_to_find = 2;
  service()->blobs[digest_.sha256] = bytes_;
  const Digest a = DigestOf("a"), b = DigestOf("b");
  EXPECT_THAT(*store_.FindMissing({b, digest_, a}), ElementsAre(b, a));
  EXPECT_TRUE(*store_.Contains(digest_));
  EXPECT_FALSE(*store_.Contains(a));
}

TEST_F(RemoteBlobStoreTest, CancelledStoreDoesNothing) {
  cancellation_.Cancel();
  EXPECT_TRUE(HasReason(store_.Put(bytes_, Durability::kDurable).status(), Reason::kCancelled));
  EXPECT_TRUE(HasReason(store_.Get(digest_).status(), Reason::kCancelled));
  EXPECT_THAT(service()->headers, IsEmpty());
}

}  // namespace
}  // namespace heroq
