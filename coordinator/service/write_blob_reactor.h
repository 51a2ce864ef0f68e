#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/status/status.h"
#include "coordinator/service/blob_service.h"

namespace heroq {

// One upload. Steps follow one another, so nothing here is locked: take budget -> read one message -> on the
// pool, write it to disk -> give the budget back -> next. A stream that ends early leaves its bytes to
// InterruptedUploads. Deletes itself.
class WriteBlobReactor final : public grpc::ServerReadReactor<v1::WriteBlobRequest> {
 public:
  WriteBlobReactor(BlobServiceContext& context, v1::WriteBlobResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void ReadNext();
  // On the pool. After any of these called Finish, `this` may be gone.
  void HandleMessage();
  void HandleEnd();
  // The first message. Sets `done` when the response is ready and no bytes are needed.
  absl::Status Begin(bool* done);
  absl::Status AppendChunk();
  void End(const absl::Status& status);

  BlobServiceContext& context_;
  v1::WriteBlobResponse* const response_;
  v1::WriteBlobRequest message_;
  v1::LeaseToken token_;
  Durability durability_ = Durability::kDurable;
  bool begun_ = false;
  std::unique_ptr<BlobUpload> upload_;
};

}  // namespace heroq
