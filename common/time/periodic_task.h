#pragma once

#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace heroq {

// Calls a function on its own thread every `period` (measured from end to start) until destroyed. `Nudge`
// makes the next call come at once. The only place that waits on real time: code under test is called
// directly instead. Thread-safe.
class PeriodicTask {
 public:
  PeriodicTask(absl::Duration period, std::function<void()> function);
  // Waits for a running call.
  ~PeriodicTask();
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

  void Nudge();

 private:
  void Run();

  const absl::Duration period_;
  const std::function<void()> function_;
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool nudged_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace heroq
