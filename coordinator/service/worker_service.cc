#include "coordinator/service/worker_service.h"

#include "absl/strings/str_cat.h"
#include "common/blob/digest_proto.h"
#include "common/file/failpoint.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/service/session_reactor.h"
#include "coordinator/state/lost_results.h"

namespace heroq {
namespace {

// Ends `reactor` with the outcome of a commit; runs on the store's writer thread.
LeaseManager::Done FinishWhenDone(grpc::ServerUnaryReactor* reactor) {
  return [reactor](const absl::Status& status) { reactor->Finish(ToGrpcStatus(status)); };
}

// What a worker is told about a result whose commit gave `committed`.
absl::Status ReplyTo(const absl::Status& committed) {
  HEROQ_FAILPOINT(complete_before_reply);
  return committed;
}

}  // namespace

grpc::ServerBidiReactor<v1::SessionRequest, v1::SessionResponse>* WorkerService::Session(
    grpc::CallbackServerContext*) {
  return SessionReactor::Start(leases_, streams_);
}

grpc::ServerUnaryReactor* WorkerService::CompleteTask(grpc::CallbackServerContext* call,
                                                      const v1::CompleteTaskRequest* request,
                                                      v1::CompleteTaskResponse*) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  pool_.Schedule([this, reactor, request] {
    const absl::Status present = CheckBlobs(request->result());
    // A repeated call may come after the job has used and removed the blobs; then the token is over, and
    // Complete knows.
    if (!present.ok() && leases_.CheckToken(request->token()).ok())
      return reactor->Finish(ToGrpcStatus(present));
    leases_.Complete(request->token(), request->result(), [reactor](const absl::Status& status) {
      reactor->Finish(ToGrpcStatus(ReplyTo(status)));
    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::FailTask(grpc::CallbackServerContext* call,
                                                  const v1::FailTaskRequest* request, v1::FailTaskResponse*) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  pool_.Schedule([this, reactor, request] {
    const v1::FailureKind kind = RecoverInputs(store_, blobs_, request->token(), request->kind());
    leases_.Fail(request->token(), kind, request->message(), FinishWhenDone(reactor));
  });
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::ReleaseTask(grpc::CallbackServerContext* call,
                                                     const v1::ReleaseTaskRequest* request,
                                                     v1::ReleaseTaskResponse*) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  leases_.Release(request->token(), FinishWhenDone(reactor));
  return reactor;
}

absl::Status WorkerService::CheckBlobs(const v1::TaskResult& result) {
  HEROQ_FAILPOINT(complete_before_commit);
  auto check = [this](const v1::BlobDigest& digest) -> absl::Status {
    HEROQ_ASSIGN_OR_RETURN(const bool present, blobs_.Contains(DigestFromProto(digest)));
    if (present) return absl::OkStatus();
    return MakeError(Reason::kBlobMissing,
                     absl::StrCat("the result names blob ", digest.sha256(), ", which is not stored"),
                     {{"blob", digest.sha256()}});
  };
  for (const v1::NamedBlob& output : result.outputs()) HEROQ_RETURN_IF_ERROR(check(output.digest()));
  for (const v1::StatisticsNode& node : result.statistics()) HEROQ_RETURN_IF_ERROR(check(node.blob()));
  return absl::OkStatus();
}

}  // namespace heroq
