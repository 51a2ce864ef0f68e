#pragma once

#include <grpcpp/support/server_callback.h>

#include "absl/status/status.h"
#include "coordinator/service/blob_service.h"
#include "coordinator/service/upload_stream.h"

namespace heroq {

// One upload. Steps follow one another, so nothing here is locked: take budget -> read one message -> on the
// pool, write it to disk -> give the budget back -> next. A sender that keeps it waiting is
// StalledUploads' business, what the messages mean UploadStream's. Deletes itself.
class WriteBlobReactor final : public grpc::ServerReadReactor<v1::WriteBlobRequest> {
 public:
  WriteBlobReactor(BlobServiceContext& context, grpc::CallbackServerContext* call,
                   v1::WriteBlobResponse* response);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void ReadNext();
  // On the pool. After any of these called Finish, `this` may be gone.
  void HandleMessage();
  void HandleEnd();
  void End(const absl::Status& status);

  BlobServiceContext& context_;
  grpc::CallbackServerContext& call_;
  v1::WriteBlobRequest message_;
  UploadStream stream_;
};

}  // namespace heroq
