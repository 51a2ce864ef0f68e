#pragma once

#include <functional>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/time/clock.h"

namespace heroq {

// Uploads that wait for their sender's next message. They hold credit while they do, so one whose sender is
// silent for too long is cancelled. Thread-safe, never blocks.
class StalledUploads {
 public:
  // `clock` is not owned.
  StalledUploads(Clock& clock, absl::Duration patience) : clock_(clock), patience_(patience) {}

  // `upload` waits from now on. `cancel` is called at most once, on the thread of CancelStalled; it must not
  // call back.
  void Begin(const void* upload, std::function<void()> cancel);
  // It does not wait any more. After this returns, `cancel` is not called.
  void End(const void* upload);
  // Called every second by the server.
  void CancelStalled();

 private:
  struct Waiting {
    absl::Duration since;  // on the monotonic clock
    std::function<void()> cancel;
  };

  Clock& clock_;
  const absl::Duration patience_;
  absl::Mutex mutex_;
  std::map<const void*, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
