#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/blob/directory_blob_store.h"
#include "common/file/file_system.h"
#include "coordinator/service/blob_upload.h"
#include "coordinator/service/interrupted_uploads.h"
#include "heroq/v1/blob_service.pb.h"

namespace heroq {

// One WriteBlob call without its transport: messages in, response out. Thread-compatible, blocking.
class UploadStream {
 public:
  // References and `response` outlive the stream. `check_token` is asked at the start and for every chunk.
  UploadStream(FileSystem& files, DirectoryBlobStore& blobs, InterruptedUploads& interrupted,
               const std::function<absl::Status(const v1::LeaseToken&)>& check_token,
               v1::WriteBlobResponse* response)
      : files_(files),
        blobs_(blobs),
        interrupted_(interrupted),
        check_token_(check_token),
        response_(*response) {}

  // True when the response is ready and no further message is wanted. After an error, too, only Suspend may
  // follow. INVALID_SPEC for a malformed digest, more than kMaxBlobBytes, a chunk out of order or above 1
  // MiB, BLOB_CORRUPT for bytes that are not what the message or the digest says, and what `check_token`
  // refuses.
  absl::StatusOr<bool> Take(const v1::WriteBlobRequest& message);
  // The sender has no more messages. Stores the blob if it is whole (BLOB_CORRUPT when it is another one);
  // otherwise the response says how much is here.
  absl::Status End();
  // Leaves an unfinished upload to InterruptedUploads. Call it last, before the sender hears of the end.
  void Suspend();

 private:
  // The first message. True when no bytes are needed.
  absl::StatusOr<bool> Begin(const v1::WriteBlobRequest& message);
  absl::Status Append(const v1::WriteBlobRequest& message);

  FileSystem& files_;
  DirectoryBlobStore& blobs_;
  InterruptedUploads& interrupted_;
  const std::function<absl::Status(const v1::LeaseToken&)>& check_token_;
  v1::WriteBlobResponse& response_;
  v1::LeaseToken token_;
  Durability durability_ = Durability::kDurable;
  bool begun_ = false;
  std::unique_ptr<BlobUpload> upload_;
};

}  // namespace heroq
