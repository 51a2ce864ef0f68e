#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "common/blob/directory_blob_store.h"
#include "common/concurrency/thread_pool.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/service/interrupted_uploads.h"
#include "coordinator/service/stalled_uploads.h"
#include "coordinator/service/upload_budget.h"
#include "heroq/v1/blob_service.grpc.pb.h"

namespace heroq {

// What the reactors of BlobService share. References outlive the server.
struct BlobServiceContext {
  FileSystem& files;
  DirectoryBlobStore& blobs;
  // For disk work; callbacks never block.
  ThreadPool& pool;
  // STALE_ATTEMPT for a lease that is over: asked at the start of an upload and for every chunk.
  std::function<absl::Status(const v1::LeaseToken&)> check_token;
  Clock& clock;
  UploadBudget budget{int64_t{128} << 20};
  // Longer than a lease: a sender that is silent for as long has lost its lease and may not go on anyway.
  StalledUploads stalled{clock, absl::Minutes(1)};
  InterruptedUploads interrupted{clock, 64, absl::Minutes(10)};

  // Called every second by the server.
  void Tick() {
    stalled.CancelStalled();
    interrupted.DropOld();
  }
};

// Content-addressed bytes for workers. Thread-safe.
class BlobService final : public v1::BlobService::CallbackService {
 public:
  explicit BlobService(BlobServiceContext& context) : context_(context) {}

  grpc::ServerReadReactor<v1::WriteBlobRequest>* WriteBlob(grpc::CallbackServerContext* call,
                                                           v1::WriteBlobResponse* response) override;
  grpc::ServerUnaryReactor* QueryBlobUpload(grpc::CallbackServerContext* call,
                                            const v1::QueryBlobUploadRequest* request,
                                            v1::QueryBlobUploadResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadBlobResponse>* ReadBlob(grpc::CallbackServerContext* call,
                                                           const v1::ReadBlobRequest* request) override;
  grpc::ServerUnaryReactor* FindMissingBlobs(grpc::CallbackServerContext* call,
                                             const v1::FindMissingBlobsRequest* request,
                                             v1::FindMissingBlobsResponse* response) override;

 private:
  BlobServiceContext& context_;
};

}  // namespace heroq
