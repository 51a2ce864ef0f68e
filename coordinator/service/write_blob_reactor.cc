#include "coordinator/service/write_blob_reactor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/rpc_limits.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

// The largest message a client can make the server hold.
constexpr int64_t kCreditBytes = kMaxRequestBytes;

}  // namespace

WriteBlobReactor::WriteBlobReactor(BlobServiceContext& context, v1::WriteBlobResponse* response)
    : context_(context), response_(response) {
  ReadNext();
}

void WriteBlobReactor::ReadNext() {
  context_.budget.Acquire(kCreditBytes, [this] { StartRead(&message_); });
}

void WriteBlobReactor::OnReadDone(bool ok) {
  context_.pool.Schedule([this, ok] { ok ? HandleMessage() : HandleEnd(); });
}

void WriteBlobReactor::HandleMessage() {
  bool done = false;
  absl::Status status = begun_ ? absl::OkStatus() : Begin(&done);
  if (status.ok() && !done) status = AppendChunk();
  message_.Clear();
  context_.budget.Release(kCreditBytes);
  if (!status.ok() || done) return End(status);
  ReadNext();
}

void WriteBlobReactor::HandleEnd() {
  context_.budget.Release(kCreditBytes);
  if (upload_ == nullptr)
    return End(MakeError(Reason::kInvalidSpec, "WriteBlob ended before its first message"));
  response_->set_committed_bytes(upload_->committed_bytes());
  if (upload_->committed_bytes() < upload_->digest().size_bytes) return End(absl::OkStatus());
  const absl::Status status = upload_->Finish(durability_);
  // Bytes that do not hash to their name, or could not be moved, are of no use to a second attempt.
  upload_.reset();
  response_->set_complete(status.ok());
  End(status);
}

absl::Status WriteBlobReactor::Begin(bool* done) {
  begun_ = true;
  const Digest digest = DigestFromProto(message_.digest());
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  token_ = message_.token();
  HEROQ_RETURN_IF_ERROR(context_.check_token(token_));
  durability_ = message_.may_be_lost() ? Durability::kVolatile : Durability::kDurable;
  HEROQ_ASSIGN_OR_RETURN(const bool present, context_.blobs.Contains(digest));
  if (present) {
    response_->set_complete(true);
    response_->set_committed_bytes(digest.size_bytes);
    *done = true;
    return absl::OkStatus();
  }
  upload_ = context_.interrupted.Take(digest);
  const int64_t committed = upload_ == nullptr ? 0 : upload_->committed_bytes();
  if (message_.write_offset() != committed) {
    response_->set_committed_bytes(committed);
    *done = true;
    return absl::OkStatus();
  }
  if (upload_ == nullptr) {
    HEROQ_ASSIGN_OR_RETURN(upload_, BlobUpload::Start(context_.files, context_.blobs, digest));
  }
  return absl::OkStatus();
}

absl::Status WriteBlobReactor::AppendChunk() {
  if (message_.data().empty()) return absl::OkStatus();
  if (message_.data().size() > kMaxChunkBytes) {
    return MakeError(Reason::kInvalidSpec, absl::StrCat("chunk of ", message_.data().size(),
                                                        " bytes; at most ", kMaxChunkBytes, " are allowed"));
  }
  HEROQ_RETURN_IF_ERROR(context_.check_token(token_));
  return upload_->Append(message_.write_offset(), message_.data(), message_.crc32c());
}

void WriteBlobReactor::End(const absl::Status& status) {
  if (upload_ != nullptr && upload_->committed_bytes() > 0) context_.interrupted.Keep(std::move(upload_));
  Finish(ToGrpcStatus(status));
}

}  // namespace heroq
