#include "coordinator/service/watch_job_reactor.h"

#include <google/protobuf/util/message_differencer.h>

#include <utility>

#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

bool HasEnded(const v1::QuantizationJob& job) {
  return job.state() == v1::QuantizationJob::STATE_SUCCEEDED ||
         job.state() == v1::QuantizationJob::STATE_FAILED ||
         job.state() == v1::QuantizationJob::STATE_CANCELLED;
}

}  // namespace

WatchJobReactor* WatchJobReactor::Start(JobApi& api, JobEvents& events, OpenStreams& streams,
                                        ThreadPool& pool, const v1::WatchQuantizationJobRequest& request) {
  std::shared_ptr<WatchJobReactor> reactor(new WatchJobReactor(api, events, streams, pool, request.name()));
  {
    absl::MutexLock lock(&reactor->mutex_);
    reactor->self_ = reactor;
  }
  const absl::StatusOr<std::string> job_id = JobIdOf(request.name());
  if (!job_id.ok()) {
    reactor->Close(job_id.status());
    return reactor.get();
  }
  // Before the first state is read, so that no event falls between.
  reactor->subscription_ =
      events.Subscribe(*job_id, request.after_sequence(), [weak = std::weak_ptr<WatchJobReactor>(reactor)] {
        if (auto watcher = weak.lock()) watcher->Wake();
      });
  streams.Add(reactor);
  reactor->Wake();
  return reactor.get();
}

void WatchJobReactor::Wake() {
  absl::MutexLock lock(&mutex_);
  if (ending_) return;
  if (busy_) {
    woken_ = true;
    return;
  }
  busy_ = true;
  pool_.Schedule([self = shared_from_this()] { self->BuildNext(); });
}

void WatchJobReactor::BuildNext() {
  while (true) {
    // Before the events are taken: all up to here are among them.
    const int64_t delivered = events_.DeliveredSequence();
    const JobSubscription::Next next = first_ ? JobSubscription::Next() : subscription_->Take();
    absl::StatusOr<v1::QuantizationJob> job = api_.Get(name_);
    absl::MutexLock lock(&mutex_);
    if (ending_) return;
    if (!job.ok()) return FinishLocked(job.status());
    const bool changed =
        next.refresh && !google::protobuf::util::MessageDifferencer::Equals(*job, message_.job());
    if (first_ || next.event.has_value() || changed) {
      first_ = false;
      *message_.mutable_job() = *std::move(job);
      message_.clear_event();
      if (next.event.has_value()) *message_.mutable_event() = *next.event;
      sending_ = true;
      woken_ = false;
      return StartWrite(&message_);
    }
    if (HasEnded(*job)) {
      if (!last_sequence_.has_value()) last_sequence_ = events_.CommittedSequence();
      if (delivered >= *last_sequence_) return FinishLocked(absl::OkStatus());
      // The store's writer is about to hand them over.
      continue;
    }
    if (!std::exchange(woken_, false)) {
      busy_ = false;
      return;
    }
  }
}

void WatchJobReactor::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  sending_ = false;
  if (ending_) return Finish(ToGrpcStatus(final_status_));
  if (!ok) return FinishLocked(MakeError(Reason::kUnavailable, "the watcher has gone"));
  // Still busy: there may be more, and if not the loop finds out.
  pool_.Schedule([self = shared_from_this()] { self->BuildNext(); });
}

void WatchJobReactor::Close(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!ending_) FinishLocked(status);
}

void WatchJobReactor::OnCancel() { Close(MakeError(Reason::kUnavailable, "the watcher has gone")); }

void WatchJobReactor::OnDone() {
  streams_.Remove(this);
  std::shared_ptr<WatchJobReactor> self;
  absl::MutexLock lock(&mutex_);
  self = std::move(self_);
}

void WatchJobReactor::FinishLocked(const absl::Status& status) {
  ending_ = true;
  final_status_ = status;
  if (!sending_) Finish(ToGrpcStatus(status));
}

}  // namespace heroq
