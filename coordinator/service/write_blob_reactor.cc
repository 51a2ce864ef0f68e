#include "coordinator/service/write_blob_reactor.h"

#include "common/rpc/grpc_status.h"
#include "common/rpc/rpc_limits.h"

namespace heroq {
namespace {

// The largest message a client can make the server hold.
constexpr int64_t kCreditBytes = kMaxRequestBytes;

}  // namespace

WriteBlobReactor::WriteBlobReactor(BlobServiceContext& context, grpc::CallbackServerContext* call,
                                   v1::WriteBlobResponse* response)
    : context_(context),
      call_(*call),
      stream_(context.files, context.blobs, context.interrupted, context.check_token, response) {
  ReadNext();
}

void WriteBlobReactor::ReadNext() {
  context_.budget.Acquire(kCreditBytes, [this] {
    context_.stalled.Begin(this, [this] { call_.TryCancel(); });
    StartRead(&message_);
  });
}

void WriteBlobReactor::OnReadDone(bool ok) {
  context_.stalled.End(this);
  context_.pool.Schedule([this, ok] { ok ? HandleMessage() : HandleEnd(); });
}

void WriteBlobReactor::HandleMessage() {
  const absl::StatusOr<bool> done = stream_.Take(message_);
  message_.Clear();
  context_.budget.Release(kCreditBytes);
  if (!done.ok() || *done) return End(done.status());
  ReadNext();
}

void WriteBlobReactor::HandleEnd() {
  context_.budget.Release(kCreditBytes);
  End(stream_.End());
}

void WriteBlobReactor::End(const absl::Status& status) {
  stream_.Suspend();
  Finish(ToGrpcStatus(status));
}

}  // namespace heroq
