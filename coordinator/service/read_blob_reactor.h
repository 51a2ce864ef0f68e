#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "coordinator/service/blob_service.h"

namespace heroq {

// One download: on the pool, read a chunk -> send it -> next. Deletes itself.
class ReadBlobReactor final : public grpc::ServerWriteReactor<v1::ReadBlobResponse> {
 public:
  ReadBlobReactor(BlobServiceContext& context, const v1::ReadBlobRequest& request);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // On the pool. After they called Finish, `this` may be gone.
  void Begin();
  void SendNext();
  absl::Status Open();
  absl::Status ReadChunk();

  BlobServiceContext& context_;
  const v1::ReadBlobRequest request_;
  std::unique_ptr<RandomAccessFile> file_;
  int64_t offset_ = 0;
  int64_t end_ = 0;
  v1::ReadBlobResponse chunk_;
};

}  // namespace heroq
