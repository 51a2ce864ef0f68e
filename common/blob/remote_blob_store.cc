#include "common/blob/remote_blob_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/blob/digest_proto.h"
#include "common/file/crc32c.h"
#include "common/rpc/call_timeout.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

absl::Status Corrupt(const Digest& digest, absl::string_view what) {
  return MakeError(Reason::kBlobCorrupt, absl::StrCat("blob ", digest.sha256, ": ", what),
                   {{"blob", digest.sha256}});
}

bool MayRetry(const absl::Status& status) {
  return IsTransient(status) || HasReason(status, Reason::kBlobCorrupt);
}

}  // namespace

RemoteBlobStore::RemoteBlobStore(const std::shared_ptr<grpc::Channel>& channel,
                                 std::function<v1::LeaseToken()> token, Cancellation cancellation,
                                 Sleeper& sleeper, JitterSource jitter, RemoteBlobOptions options)
    : stub_(v1::BlobService::NewStub(channel)),
      token_(std::move(token)),
      cancellation_(std::move(cancellation)),
      sleeper_(sleeper),
      jitter_(std::move(jitter)),
      options_(options) {}

absl::StatusOr<Digest> RemoteBlobStore::Put(BlobPieces pieces, Durability durability) {
  const Digest digest = DigestOf(pieces, durability);
  const std::string joined = pieces.size() == 1 ? "" : absl::StrJoin(pieces, "");
  const absl::string_view bytes = pieces.size() == 1 ? pieces[0] : joined;
  Backoff backoff(options_.retry.backoff, jitter_);
  int64_t offset = 0;
  for (int attempts = 1;; ++attempts) {
    HEROQ_RETURN_IF_ERROR(cancellation_.Check());
    const auto written = WriteFrom(bytes, digest, offset, durability);
    if (written.ok() && written->complete()) return digest;
    if (!written.ok() && !MayRetry(written.status()))
      return Annotate(written.status(), "upload of " + digest.sha256);
    int64_t committed = 0;
    if (written.ok()) {
      committed = written->committed_bytes();
    } else if (const auto query = QueryUpload(digest); query.ok()) {
      // Somebody may have stored it as volatile: only an upload says that it must last.
      if (query->complete() && durability == Durability::kVolatile) return digest;
      committed = query->committed_bytes();
    } else {
      committed = offset;
    }
    const bool progress = committed > offset;
    offset = std::clamp<int64_t>(committed, 0, digest.size_bytes);
    if (progress) {
      attempts = 0;
      backoff.Reset();
      // The server holds bytes of an earlier upload.
      if (written.ok()) continue;
    }
    if (attempts >= options_.retry.max_attempts || !sleeper_.Sleep(backoff.Next())) {
      if (!written.ok()) return Annotate(written.status(), "upload of " + digest.sha256);
      return MakeError(Reason::kUnavailable, absl::StrCat("upload of ", digest.sha256, " makes no progress"));
    }
  }
}

absl::StatusOr<v1::WriteBlobResponse> RemoteBlobStore::WriteFrom(absl::string_view bytes,
                                                                 const Digest& digest, int64_t offset,
                                                                 Durability durability) {
  grpc::ClientContext context;
  SetTimeout(context, digest.size_bytes - offset);
  v1::WriteBlobResponse response;
  const auto writer = stub_->WriteBlob(&context, &response);
  v1::WriteBlobRequest header;
  *header.mutable_digest() = DigestToProto(digest);
  *header.mutable_token() = token_();
  header.set_write_offset(offset);
  header.set_may_be_lost(durability == Durability::kVolatile);
  bool open = writer->Write(header);
  v1::WriteBlobRequest chunk;
  while (open && offset < digest.size_bytes) {
    if (cancellation_.cancelled()) context.TryCancel();
    const absl::string_view data = bytes.substr(offset, options_.chunk_bytes);
    chunk.set_write_offset(offset);
    chunk.set_data(data.data(), data.size());
    chunk.set_crc32c(Crc32c(data));
    // False when the server has already answered: the blob is there, or it refuses.
    open = writer->Write(chunk);
    offset += static_cast<int64_t>(data.size());
  }
  if (open) writer->WritesDone();
  HEROQ_RETURN_IF_ERROR(FromGrpcStatus(writer->Finish()));
  return response;
}

absl::StatusOr<v1::QueryBlobUploadResponse> RemoteBlobStore::QueryUpload(const Digest& digest) {
  grpc::ClientContext context;
  SetTimeout(context, 0);
  v1::QueryBlobUploadRequest request;
  *request.mutable_digest() = DigestToProto(digest);
  v1::QueryBlobUploadResponse response;
  HEROQ_RETURN_IF_ERROR(FromGrpcStatus(stub_->QueryBlobUpload(&context, request, &response)));
  return response;
}

absl::StatusOr<std::string> RemoteBlobStore::Get(const Digest& digest) {
  HEROQ_RETURN_IF_ERROR(ValidateDigest(digest));
  Backoff backoff(options_.retry.backoff, jitter_);
  std::string bytes;
  bytes.reserve(digest.size_bytes);
  for (int attempts = 1;; ++attempts) {
    HEROQ_RETURN_IF_ERROR(cancellation_.Check());
    const std::size_t before = bytes.size();
    absl::Status status = ReadInto(digest, bytes);
    if (status.ok() && Verify(bytes, digest)) return bytes;
    if (status.ok()) {
      // Every chunk was what the server sent, so going on would not help: start again.
      status = Corrupt(digest, "received bytes are not those of its digest");
      bytes.clear();
    } else if (!MayRetry(status)) {
      return status;
    } else if (bytes.size() > before) {
      attempts = 0;
      backoff.Reset();
    }
    if (attempts >= options_.retry.max_attempts || !sleeper_.Sleep(backoff.Next())) return status;
  }
}

absl::Status RemoteBlobStore::ReadInto(const Digest& digest, std::string& bytes) {
  grpc::ClientContext context;
  SetTimeout(context, digest.size_bytes - static_cast<int64_t>(bytes.size()));
  v1::ReadBlobRequest request;
  *request.mutable_digest() = DigestToProto(digest);
  request.set_read_offset(static_cast<int64_t>(bytes.size()));
  const auto reader = stub_->ReadBlob(&context, request);
  v1::ReadBlobResponse chunk;
  absl::Status status;
  while (status.ok() && reader->Read(&chunk)) {
    if (Crc32c(chunk.data()) != chunk.crc32c()) {
      status = Corrupt(digest, absl::StrCat("chunk at ", bytes.size(), " has another CRC32C"));
    } else if (bytes.size() + chunk.data().size() > static_cast<std::size_t>(digest.size_bytes)) {
      status = Corrupt(digest, absl::StrCat("more than ", digest.size_bytes, " bytes"));
    } else {
      bytes.append(chunk.data());
      status = cancellation_.Check();
    }
  }
  if (!status.ok()) context.TryCancel();
  const absl::Status finished = FromGrpcStatus(reader->Finish());
  if (!status.ok()) return status;
  HEROQ_RETURN_IF_ERROR(finished);
  if (static_cast<int64_t>(bytes.size()) == digest.size_bytes) return absl::OkStatus();
  return MakeError(Reason::kUnavailable, absl::StrCat("blob ", digest.sha256, ": stream ended at ",
                                                      bytes.size(), " of ", digest.size_bytes, " bytes"));
}

absl::StatusOr<bool> RemoteBlobStore::Contains(const Digest& digest) {
  HEROQ_ASSIGN_OR_RETURN(const std::vector<Digest> missing, FindMissing({digest}));
  return missing.empty();
}

absl::StatusOr<std::vector<Digest>> RemoteBlobStore::FindMissing(const std::vector<Digest>& digests) {
  v1::FindMissingBlobsRequest request;
  for (const Digest& digest : digests) *request.add_digests() = DigestToProto(digest);
  v1::FindMissingBlobsResponse response;
  const absl::Status status = Retry(options_.retry, jitter_, sleeper_, [&]() -> absl::Status {
    HEROQ_RETURN_IF_ERROR(cancellation_.Check());
    grpc::ClientContext context;
    SetTimeout(context, 0);
    return FromGrpcStatus(stub_->FindMissingBlobs(&context, request, &response));
  });
  HEROQ_RETURN_IF_ERROR(status);
  std::vector<Digest> missing;
  for (const auto& digest : response.missing()) missing.push_back(DigestFromProto(digest));
  return missing;
}

void RemoteBlobStore::SetTimeout(grpc::ClientContext& context, int64_t bytes) const {
  SetCallTimeout(context, options_.call_timeout + absl::Seconds(bytes >> 20));
}

}  // namespace heroq
