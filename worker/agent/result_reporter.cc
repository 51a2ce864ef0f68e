#include "worker/agent/result_reporter.h"

#include "absl/strings/str_cat.h"
#include "common/file/failpoint.h"
#include "common/rpc/call_timeout.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(30);

}  // namespace

absl::Status ResultReporter::Complete(const RunningLease& lease, const v1::TaskResult& result) {
  v1::CompleteTaskRequest request;
  *request.mutable_token() = lease.token();
  *request.mutable_result() = result;
  HEROQ_FAILPOINT(worker_before_complete);
  absl::Status status = WhileAlive(lease, [&](grpc::ClientContext& context) {
    v1::CompleteTaskResponse response;
    return FromGrpcStatus(stub_.CompleteTask(&context, request, &response));
  });
  HEROQ_FAILPOINT(worker_after_complete);
  return status;
}

absl::Status ResultReporter::Fail(const RunningLease& lease, v1::FailureKind kind,
                                  const std::string& message) {
  v1::FailTaskRequest request;
  *request.mutable_token() = lease.token();
  request.set_kind(kind);
  request.set_message(message);
  return WhileAlive(lease, [&](grpc::ClientContext& context) {
    v1::FailTaskResponse response;
    return FromGrpcStatus(stub_.FailTask(&context, request, &response));
  });
}

absl::Status ResultReporter::Release(const RunningLease& lease) {
  v1::ReleaseTaskRequest request;
  *request.mutable_token() = lease.token();
  return WhileAlive(lease, [&](grpc::ClientContext& context) {
    v1::ReleaseTaskResponse response;
    return FromGrpcStatus(stub_.ReleaseTask(&context, request, &response));
  });
}

absl::Status ResultReporter::Refuse(const v1::LeaseToken& token) {
  grpc::ClientContext context;
  SetCallTimeout(context, kCallTimeout);
  v1::ReleaseTaskRequest request;
  *request.mutable_token() = token;
  v1::ReleaseTaskResponse response;
  return FromGrpcStatus(stub_.ReleaseTask(&context, request, &response));
}

absl::Status ResultReporter::WhileAlive(const RunningLease& lease,
                                        const std::function<absl::Status(grpc::ClientContext&)>& call) {
  Backoff backoff(backoff_, jitter_);
  while (true) {
    if (lease.dead()) {
      return MakeError(Reason::kStaleAttempt, absl::StrCat("lease ", lease.token().lease_id(), " is over"));
    }
    grpc::ClientContext context;
    SetCallTimeout(context, kCallTimeout);
    absl::Status status = call(context);
    if (!IsTransient(status) || !sleeper_.Sleep(backoff.Next())) return status;
  }
}

}  // namespace heroq
