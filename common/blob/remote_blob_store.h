#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/blob/blob_store.h"
#include "common/concurrency/cancellation.h"
#include "common/rpc/backoff.h"
#include "common/rpc/rpc_limits.h"
#include "common/time/sleeper.h"
#include "heroq/v1/blob_service.grpc.pb.h"

namespace heroq {

struct RemoteBlobOptions {
  // Attempts without progress; a call that moved bytes starts the count again.
  RetryOptions retry;
  // At most kMaxChunkBytes.
  int chunk_bytes = kMaxChunkBytes;
  // Of one call, plus a second per MiB it moves.
  absl::Duration call_timeout = absl::Seconds(30);
};

// The coordinator's blobs over BlobService. Broken transfers go on where they stopped, chunks carry CRC32C,
// and whole blobs are verified on both sides. Thread-safe, blocking. Errors:
// BLOB_MISSING, BLOB_CORRUPT when bytes stay wrong after retries, STALE_ATTEMPT when the lease is over,
// CANCELLED, or what the connection says.
class RemoteBlobStore final : public BlobStore {
 public:
  // `token` is asked before every upload: uploads belong to a lease. `sleeper` is not owned.
  RemoteBlobStore(const std::shared_ptr<grpc::Channel>& channel, std::function<v1::LeaseToken()> token,
                  Cancellation cancellation, Sleeper& sleeper, JitterSource jitter,
                  RemoteBlobOptions options);

  using BlobStore::Put;
  // Several pieces are put together first.
  absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) override;
  absl::StatusOr<std::string> Get(const Digest& digest) override;
  absl::StatusOr<bool> Contains(const Digest& digest) override;
  // Those of `digests` the coordinator lacks, in the same order.
  absl::StatusOr<std::vector<Digest>> FindMissing(const std::vector<Digest>& digests);

 private:
  // One WriteBlob call from `offset`.
  absl::StatusOr<v1::WriteBlobResponse> WriteFrom(absl::string_view bytes, const Digest& digest,
                                                  int64_t offset, Durability durability);
  // One ReadBlob call that appends to `bytes`.
  absl::Status ReadInto(const Digest& digest, std::string& bytes);
  absl::StatusOr<v1::QueryBlobUploadResponse> QueryUpload(const Digest& digest);
  void SetTimeout(grpc::ClientContext& context, int64_t bytes) const;

  const std::unique_ptr<v1::BlobService::Stub> stub_;
  const std::function<v1::LeaseToken()> token_;
  const Cancellation cancellation_;
  Sleeper& sleeper_;
  const JitterSource jitter_;
  const RemoteBlobOptions options_;
};

}  // namespace heroq
