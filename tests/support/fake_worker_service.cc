#include "tests/support/fake_worker_service.h"

namespace heroq {
namespace {

void SetDuration(google::protobuf::Duration* message, absl::Duration duration) {
  message->set_seconds(absl::ToInt64Seconds(duration));
  message->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

v1::LeaseToken TokenOf(const std::string& lease_id) {
  v1::LeaseToken token;
  token.set_job_id("job");
  token.set_lease_id(lease_id);
  token.mutable_fence()->set_epoch(1);
  return token;
}

}  // namespace

grpc::Status FakeWorkerService::Session(
    grpc::ServerContext* context, grpc::ServerReaderWriter<v1::SessionResponse, v1::SessionRequest>* stream) {
  v1::SessionRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  if (!session_refusal.ok()) return session_refusal;
  v1::SessionResponse welcome;
  SetDuration(welcome.mutable_welcome()->mutable_heartbeat_interval(), heartbeat_interval);
  SetDuration(welcome.mutable_welcome()->mutable_time_to_live(), time_to_live);
  stream->Write(welcome);
  {
    absl::MutexLock write_lock(&write_mutex_);
    context_ = context;
    stream_ = stream;
    absl::MutexLock lock(&mutex);
    hellos.push_back(request.hello());
  }
  while (stream->Read(&request)) {
    bool answer = false;
    {
      absl::MutexLock lock(&mutex);
      if (request.has_heartbeat()) heartbeats.push_back(request.heartbeat());
      if (request.has_draining()) ++drain_notices;
      answer = request.has_heartbeat() && answer_heartbeats;
    }
    v1::SessionResponse ack;
    ack.mutable_ack();
    if (answer) Send(ack);
  }
  absl::MutexLock write_lock(&write_mutex_);
  if (stream_ == stream) stream_ = nullptr;
  return grpc::Status::OK;
}

grpc::Status FakeWorkerService::CompleteTask(grpc::ServerContext*, const v1::CompleteTaskRequest* request,
                                             v1::CompleteTaskResponse*) {
  if (on_complete) on_complete(request->token().lease_id());
  absl::MutexLock lock(&mutex);
  completed.push_back(*request);
  if (complete_outcomes.empty()) return grpc::Status::OK;
  grpc::Status status = complete_outcomes.front();
  complete_outcomes.erase(complete_outcomes.begin());
  return status;
}

grpc::Status FakeWorkerService::FailTask(grpc::ServerContext*, const v1::FailTaskRequest* request,
                                         v1::FailTaskResponse*) {
  absl::MutexLock lock(&mutex);
  failed.push_back(*request);
  return grpc::Status::OK;
}

grpc::Status FakeWorkerService::ReleaseTask(grpc::ServerContext*, const v1::ReleaseTaskRequest* request,
                                            v1::ReleaseTaskResponse*) {
  absl::MutexLock lock(&mutex);
  released.push_back(request->token().lease_id());
  return grpc::Status::OK;
}

void FakeWorkerService::SendLease(const std::string& lease_id) {
  v1::SessionResponse message;
  *message.mutable_lease()->mutable_token() = TokenOf(lease_id);
  message.mutable_lease()->mutable_task()->set_id(lease_id);
  Send(message);
}

void FakeWorkerService::SendCancel(const std::string& lease_id) {
  v1::SessionResponse message;
  *message.mutable_cancel() = TokenOf(lease_id);
  Send(message);
}

void FakeWorkerService::SendDrain() {
  v1::SessionResponse message;
  message.mutable_drain();
  Send(message);
}

void FakeWorkerService::BreakSession() {
  absl::MutexLock lock(&write_mutex_);
  if (stream_ != nullptr) context_->TryCancel();
}

bool FakeWorkerService::WaitFor(const std::function<bool()>& condition) {
  absl::MutexLock lock(&mutex);
  return mutex.AwaitWithTimeout(absl::Condition(&condition, &std::function<bool()>::operator()),
                                absl::Seconds(30));
}

void FakeWorkerService::Send(const v1::SessionResponse& message) {
  absl::MutexLock lock(&write_mutex_);
  if (stream_ != nullptr) stream_->Write(message);
}

}  // namespace heroq
