#include "worker/agent/worker_session.h"

#include <utility>

#include "absl/time/time.h"
#include "common/rpc/grpc_status.h"

namespace heroq {
namespace {

constexpr double kFenceShare = 0.75;
// How many times in a heartbeat interval silence is looked for.
constexpr int kFenceChecks = 5;

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

absl::Status WorkerSession::Run(const v1::WorkerHello& hello, Unreachable unreachable) {
  context_.set_wait_for_ready(unreachable == Unreachable::kWait);
  v1::SessionRequest first;
  *first.mutable_hello() = hello;
  // Reads and writes of one stream may overlap, reads with reads may not: this thread alone reads.
  Stream* stream = nullptr;
  {
    absl::MutexLock lock(&write_mutex_);
    stream_ = stub_.Session(&context_);
    stream = stream_.get();
    stream->Write(first);
  }
  v1::SessionResponse message;
  while (stream->Read(&message)) HandleMessage(message);
  // Before the cancellation, which would hide why the stream ended.
  absl::Status status = FromGrpcStatus(stream->Finish());
  // Ends a write that hangs, and with it the tasks below.
  context_.TryCancel();
  heartbeats_.reset();
  fence_.reset();
  std::unique_ptr<Stream> ended;
  absl::MutexLock lock(&write_mutex_);
  ended = std::move(stream_);
  return status;
}

void WorkerSession::HandleMessage(const v1::SessionResponse& message) {
  switch (message.message_case()) {
    case v1::SessionResponse::kWelcome:
      return HandleWelcome(message.welcome());
    case v1::SessionResponse::kLease:
      return handler_.OnLease(message.lease());
    case v1::SessionResponse::kCancel:
      return handler_.OnCancel(message.cancel());
    case v1::SessionResponse::kAck:
      if (monitor_.has_value()) monitor_->Acknowledged();
      return;
    case v1::SessionResponse::kDrain:
      return handler_.OnDrain();
    case v1::SessionResponse::MESSAGE_NOT_SET:
      // A newer coordinator may say more than this worker knows.
      return;
  }
}

void WorkerSession::HandleWelcome(const v1::SessionWelcome& welcome) {
  if (monitor_.has_value()) return;
  const absl::Duration interval = FromProto(welcome.heartbeat_interval());
  monitor_.emplace(clock_, kFenceShare * FromProto(welcome.time_to_live()));
  handler_.OnWelcome(welcome);
  // Apart from the heartbeats, whose writes can hang.
  fence_ = std::make_unique<PeriodicTask>(interval / kFenceChecks, [this] {
    if (!monitor_->Expired()) return;
    handler_.OnFenced();
    context_.TryCancel();
  });
  heartbeats_ = std::make_unique<PeriodicTask>(interval, [this] {
    v1::SessionRequest message;
    *message.mutable_heartbeat() = handler_.MakeHeartbeat();
    monitor_->Sent();
    Send(message);
  });
}

void WorkerSession::SendDraining() {
  v1::SessionRequest message;
  message.mutable_draining();
  Send(message);
}

void WorkerSession::Send(const v1::SessionRequest& message) {
  absl::MutexLock lock(&write_mutex_);
  // False when the stream has ended, which the reader sees.
  if (stream_ != nullptr) stream_->Write(message);
}

}  // namespace heroq
