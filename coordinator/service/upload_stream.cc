#include "coordinator/service/upload_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/file/failpoint.h"
#include "common/rpc/rpc_limits.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

absl::StatusOr<bool> UploadStream::Take(const v1::WriteBlobRequest& message) {
  if (!begun_) {
    begun_ = true;
    HEROQ_ASSIGN_OR_RETURN(const bool done, Begin(message));
    if (done) return true;
  }
  HEROQ_RETURN_IF_ERROR(Append(message));
  return false;
}

absl::StatusOr<bool> UploadStream::Begin(const v1::WriteBlobRequest& message) {
  const Digest digest = DigestFromProto(message.digest());
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  if (digest.size_bytes > kMaxBlobBytes) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("upload of blob ", digest.sha256, ": ", digest.size_bytes,
                                  " bytes; at most ", kMaxBlobBytes, " are allowed"),
                     {{"blob", digest.sha256}});
  }
  token_ = message.token();
  HEROQ_RETURN_IF_ERROR(check_token_(token_));
  durability_ = message.may_be_lost() ? Durability::kVolatile : Durability::kDurable;
  HEROQ_ASSIGN_OR_RETURN(const bool present, blobs_.Contains(digest));
  if (present) {
    if (durability_ == Durability::kDurable) HEROQ_RETURN_IF_ERROR(blobs_.MakeDurable(digest));
    response_.set_complete(true);
    response_.set_committed_bytes(digest.size_bytes);
    return true;
  }
  upload_ = interrupted_.Take(digest);
  const int64_t committed = upload_ == nullptr ? 0 : upload_->committed_bytes();
  if (message.write_offset() != committed) {
    response_.set_committed_bytes(committed);
    return true;
  }
  if (upload_ == nullptr) {
    HEROQ_ASSIGN_OR_RETURN(upload_, BlobUpload::Start(files_, blobs_, digest));
  }
  return false;
}

absl::Status UploadStream::Append(const v1::WriteBlobRequest& message) {
  if (message.data().empty()) return absl::OkStatus();
  if (message.data().size() > kMaxChunkBytes) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("chunk of ", message.data().size(),
                                                        " bytes; at most ", kMaxChunkBytes, " are allowed"));
  }
  HEROQ_RETURN_IF_ERROR(check_token_(token_));
  return upload_->Append(message.write_offset(), message.data(), message.crc32c());
}

absl::Status UploadStream::End() {
  if (upload_ == nullptr) return MakeError(Reason::kInvalidSpec, "WriteBlob ended before its first message");
  response_.set_committed_bytes(upload_->committed_bytes());
  if (upload_->committed_bytes() < upload_->digest().size_bytes) return absl::OkStatus();
  const absl::Status status = upload_->Finish(durability_);
  // Bytes that do not hash to their name, or could not be moved, are of no use to a second attempt.
  upload_.reset();
  HEROQ_RETURN_IF_ERROR(status);
  response_.set_complete(true);
  HEROQ_FAILPOINT(upload_before_reply);
  return absl::OkStatus();
}

void UploadStream::Suspend() {
  if (upload_ != nullptr && upload_->committed_bytes() > 0) interrupted_.Keep(std::move(upload_));
}

}  // namespace heroq
