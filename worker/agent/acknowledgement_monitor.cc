#include "worker/agent/acknowledgement_monitor.h"

namespace heroq {

AcknowledgementMonitor::AcknowledgementMonitor(Clock& clock, absl::Duration limit)
    : clock_(clock), limit_(limit), heard_(clock.Monotonic()) {}

void AcknowledgementMonitor::Sent() {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  unanswered_.push_back(now);
}

void AcknowledgementMonitor::Acknowledged() {
  absl::MutexLock lock(&mutex_);
  if (unanswered_.empty()) return;
  heard_ = unanswered_.front();
  unanswered_.pop_front();
}

bool AcknowledgementMonitor::Expired() const {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  return now - heard_ >= limit_;
}

}  // namespace heroq
