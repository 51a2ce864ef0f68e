#include "coordinator/service/read_blob_reactor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/file/crc32c.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/rpc_limits.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

ReadBlobReactor::ReadBlobReactor(BlobServiceContext& context, const v1::ReadBlobRequest& request)
    : context_(context), request_(request) {
  context_.pool.Schedule([this] { Begin(); });
}

void ReadBlobReactor::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client has gone"));
  context_.pool.Schedule([this] { SendNext(); });
}

void ReadBlobReactor::Begin() {
  if (absl::Status status = Open(); !status.ok()) return Finish(ToGrpcStatus(status));
  SendNext();
}

absl::Status ReadBlobReactor::Open() {
  const Digest digest = DigestFromProto(request_.digest());
  HEROQ_ASSIGN_OR_RETURN(const bool present, context_.blobs.Contains(digest));
  if (!present) {
    return MakeError(Reason::kBlobMissing, absl::StrCat("blob ", digest.sha256, " is not stored here"),
                     {{"blob", digest.sha256}});
  }
  const int64_t offset = request_.read_offset();
  const int64_t limit = request_.read_limit();
  if (offset < 0 || offset > digest.size_bytes || limit < 0) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("range ", offset, " + ", limit, " of blob ", digest.sha256, " with ",
                                  digest.size_bytes, " bytes"));
  }
  offset_ = offset;
  end_ = limit == 0 ? digest.size_bytes : offset + std::min(limit, digest.size_bytes - offset);
  HEROQ_ASSIGN_OR_RETURN(file_, context_.files.OpenForRead(context_.blobs.PathOf(digest)));
  return absl::OkStatus();
}

void ReadBlobReactor::SendNext() {
  if (offset_ == end_) return Finish(grpc::Status::OK);
  if (absl::Status status = ReadChunk(); !status.ok()) return Finish(ToGrpcStatus(status));
  StartWrite(&chunk_);
}

absl::Status ReadBlobReactor::ReadChunk() {
  const int64_t size = std::min<int64_t>(kMaxChunkBytes, end_ - offset_);
  std::string& data = *chunk_.mutable_data();
  data.resize(size);
  HEROQ_RETURN_IF_ERROR(file_->ReadAt(offset_, size, data.data()));
  chunk_.set_crc32c(Crc32c(data));
  offset_ += size;
  return absl::OkStatus();
}

}  // namespace heroq
