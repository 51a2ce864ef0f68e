#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace heroq {

// Waits between attempts; injected so that tests do not wait. Thread-safe.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Blocks for `duration`. False when interrupted, at once if that was before.
  virtual bool Sleep(absl::Duration duration) = 0;
};

// The real one. Interrupt wakes every sleeper, now and in future: it is for shutting down.
class InterruptibleSleeper final : public Sleeper {
 public:
  bool Sleep(absl::Duration duration) override;
  void Interrupt();

 private:
  absl::Mutex mutex_;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace heroq
