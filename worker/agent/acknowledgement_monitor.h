#pragma once

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/time/clock.h"

namespace heroq {

// Knows how long ago the coordinator last heard this worker. Counts from when an acknowledged heartbeat was
// sent, not from when its answer came, so the worker gives up before the coordinator does. Heartbeats are
// answered in order. Thread-safe.
class AcknowledgementMonitor {
 public:
  // The session has just been welcomed. `limit`: silence after which the worker must stop publishing, three
  // quarters of the lease's time to live.
  AcknowledgementMonitor(Clock& clock, absl::Duration limit);

  void Sent();
  void Acknowledged();
  bool Expired() const;

 private:
  Clock& clock_;
  const absl::Duration limit_;
  mutable absl::Mutex mutex_;
  std::deque<absl::Duration> unanswered_ ABSL_GUARDED_BY(mutex_);
  absl::Duration heard_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
