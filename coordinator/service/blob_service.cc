#include "coordinator/service/blob_service.h"

#include "common/blob/digest_proto.h"
#include "common/rpc/unary_reactor.h"
#include "common/status/status_macros.h"
#include "coordinator/service/read_blob_reactor.h"
#include "coordinator/service/write_blob_reactor.h"

namespace heroq {

grpc::ServerReadReactor<v1::WriteBlobRequest>* BlobService::WriteBlob(grpc::CallbackServerContext* call,
                                                                      v1::WriteBlobResponse* response) {
  return new WriteBlobReactor(context_, call, response);
}

grpc::ServerUnaryReactor* BlobService::QueryBlobUpload(grpc::CallbackServerContext* call,
                                                       const v1::QueryBlobUploadRequest* request,
                                                       v1::QueryBlobUploadResponse* response) {
  return FinishOnPool(call, context_.pool, [this, request, response]() -> absl::Status {
    const Digest digest = DigestFromProto(request->digest());
    HEROQ_ASSIGN_OR_RETURN(const bool complete, context_.blobs.Contains(digest));
    response->set_complete(complete);
    response->set_committed_bytes(complete ? digest.size_bytes : context_.interrupted.CommittedBytes(digest));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::ReadBlobResponse>* BlobService::ReadBlob(grpc::CallbackServerContext*,
                                                                      const v1::ReadBlobRequest* request) {
  return new ReadBlobReactor(context_, *request);
}

grpc::ServerUnaryReactor* BlobService::FindMissingBlobs(grpc::CallbackServerContext* call,
                                                        const v1::FindMissingBlobsRequest* request,
                                                        v1::FindMissingBlobsResponse* response) {
  return FinishOnPool(call, context_.pool, [this, request, response]() -> absl::Status {
    for (const v1::BlobDigest& digest : request->digests()) {
      HEROQ_ASSIGN_OR_RETURN(const bool present, context_.blobs.Contains(DigestFromProto(digest)));
      if (!present) *response->add_missing() = digest;
    }
    return absl::OkStatus();
  });
}

}  // namespace heroq
