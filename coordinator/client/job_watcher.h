#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/time/sleeper.h"
#include "coordinator/client/quantization_client.h"
#include "coordinator/client/ui_event.h"

namespace heroq {

// Streams a job's updates into `events` from its own thread, ending with one WatchEndedEvent. A broken
// connection is resumed after the last event seen, for up to `patience`, with one ConnectionLostEvent each
// time.
class JobWatcher {
 public:
  // References outlive it. `patience` is how long without any answer is too long.
  JobWatcher(QuantizationClient& client, std::string job_name, absl::Duration patience, Clock& clock,
             UiEventQueue& events);
  // Stops at once; no event comes after it.
  ~JobWatcher();
  JobWatcher(const JobWatcher&) = delete;
  JobWatcher& operator=(const JobWatcher&) = delete;

 private:
  void Run();
  // One stream until it breaks or the job ended.
  absl::Status Stream();

  QuantizationClient& client_;
  const std::string job_name_;
  const absl::Duration patience_;
  Clock& clock_;
  UiEventQueue& events_;
  InterruptibleSleeper sleeper_;
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Of the watching thread.
  int64_t last_sequence_ = 0;
  bool ended_ = false;
  absl::Duration last_answer_;
  std::thread thread_;
};

}  // namespace heroq
