#include "coordinator/client/job_watcher.h"

#include <utility>

#include "common/rpc/backoff.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/client/job_text.h"
#include "grpcpp/client_context.h"

namespace heroq {

JobWatcher::JobWatcher(QuantizationClient& client, std::string job_name, absl::Duration patience,
                       Clock& clock, UiEventQueue& events)
    : client_(client),
      job_name_(std::move(job_name)),
      patience_(patience),
      clock_(clock),
      events_(events),
      last_answer_(clock.Monotonic()) {
  thread_ = std::thread([this] { Run(); });
}

JobWatcher::~JobWatcher() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  sleeper_.Interrupt();
  thread_.join();
}

absl::Status JobWatcher::Stream() {
  grpc::ClientContext context;
  {
    absl::MutexLock lock(&mutex_);
    if (stop_) return absl::CancelledError();
    context_ = &context;
  }
  v1::WatchQuantizationJobRequest request;
  request.set_name(job_name_);
  request.set_after_sequence(last_sequence_);
  const auto reader = client_.stub().WatchQuantizationJob(&context, request);
  v1::WatchQuantizationJobResponse response;
  while (reader->Read(&response)) {
    last_answer_ = clock_.Monotonic();
    if (response.has_event()) last_sequence_ = response.event().sequence();
    ended_ = IsTerminal(response.job());
    events_.Push(std::move(response));
    response.Clear();
  }
  const grpc::Status status = reader->Finish();
  absl::MutexLock lock(&mutex_);
  context_ = nullptr;
  return FromGrpcStatus(status);
}

void JobWatcher::Run() {
  Backoff backoff({}, SystemJitter());
  for (;;) {
    const absl::Duration answer_before = last_answer_;
    absl::Status status = Stream();
    {
      absl::MutexLock lock(&mutex_);
      if (stop_) return;
    }
    if (ended_) {
      events_.Push(WatchEndedEvent{absl::OkStatus()});
      return;
    }
    // A server that goes away in an orderly way ends the stream without an error.
    if (status.ok()) status = absl::UnavailableError("the server ended the stream");
    if (!IsTransient(status) || clock_.Monotonic() - last_answer_ > patience_) {
      events_.Push(WatchEndedEvent{status});
      return;
    }
    if (last_answer_ != answer_before) backoff.Reset();
    events_.Push(ConnectionLostEvent{status});
    if (!sleeper_.Sleep(backoff.Next())) return;
  }
}

}  // namespace heroq
