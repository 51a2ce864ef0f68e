#include "coordinator/service/session_reactor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

// A worker that reads gets at most a lease per slot and an answer per heartbeat; one this far behind does not
// read.
constexpr std::size_t kMaxWaiting = 1024;

}  // namespace

SessionReactor* SessionReactor::Start(LeaseManager& leases, OpenStreams& streams) {
  std::shared_ptr<SessionReactor> reactor(new SessionReactor(leases, streams));
  {
    absl::MutexLock lock(&reactor->mutex_);
    reactor->self_ = reactor;
  }
  streams.Add(reactor);
  absl::MutexLock lock(&reactor->mutex_);
  if (!reactor->ending_) reactor->StartRead(&reactor->request_);
  return reactor.get();
}

void SessionReactor::Send(v1::SessionResponse message) {
  absl::MutexLock lock(&mutex_);
  if (ending_) return;
  if (waiting_.size() >= kMaxWaiting) {
    return FinishLocked(MakeError(Reason::kUnavailable, "the worker does not read its session"));
  }
  waiting_.push_back(std::move(message));
  if (!writing_) WriteNextLocked();
}

void SessionReactor::Close(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (ending_) return;
  server_closes_ = true;
  FinishLocked(status);
}

void SessionReactor::OnReadDone(bool ok) {
  absl::Status status = ok ? HandleMessage() : absl::OkStatus();
  bool report = false;
  {
    absl::MutexLock lock(&mutex_);
    if (ok && status.ok() && !ending_) {
      StartRead(&request_);
      return;
    }
    report = session_.has_value() && !server_closes_;
    if (!ending_) FinishLocked(status);
  }
  if (report) {
    leases_.Disconnect(*session_);
    session_.reset();
  }
}

absl::Status SessionReactor::HandleMessage() {
  switch (request_.message_case()) {
    case v1::SessionRequest::kHello: {
      if (session_.has_value()) return MakeError(Reason::kInvalidSpec, "a session has one hello");
      HEROQ_ASSIGN_OR_RETURN(session_, leases_.Connect(request_.hello(), shared_from_this()));
      Log(LogLevel::kInfo, "worker connected",
          {{"worker", request_.hello().worker_id()}, {"numeric_class", request_.hello().numeric_class()}});
      return absl::OkStatus();
    }
    case v1::SessionRequest::kHeartbeat:
      if (!session_.has_value()) break;
      leases_.Heartbeat(*session_, request_.heartbeat());
      return absl::OkStatus();
    case v1::SessionRequest::kDraining:
      if (!session_.has_value()) break;
      leases_.SetDraining(*session_);
      return absl::OkStatus();
    case v1::SessionRequest::MESSAGE_NOT_SET:
      return MakeError(Reason::kInvalidSpec, "session message of a kind this coordinator does not know");
  }
  return MakeError(Reason::kInvalidSpec, "the first message of a session must be its hello");
}

void SessionReactor::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (ending_) return Finish(ToGrpcStatus(final_status_));
  // A broken stream also fails the read, which reports it.
  if (ok && !waiting_.empty()) WriteNextLocked();
}

void SessionReactor::OnDone() {
  streams_.Remove(this);
  std::shared_ptr<SessionReactor> self;
  absl::MutexLock lock(&mutex_);
  self = std::move(self_);
}

void SessionReactor::FinishLocked(const absl::Status& status) {
  ending_ = true;
  waiting_.clear();
  final_status_ = status;
  if (!writing_) Finish(ToGrpcStatus(status));
}

void SessionReactor::WriteNextLocked() {
  in_flight_ = std::move(waiting_.front());
  waiting_.pop_front();
  writing_ = true;
  StartWrite(&in_flight_);
}

}  // namespace heroq
