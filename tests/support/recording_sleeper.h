#pragma once

#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/time/sleeper.h"

namespace heroq {

// Remembers what it was asked to wait for, and never waits. Thread-safe.
class RecordingSleeper final : public Sleeper {
 public:
  // The sleep with this number (from 1) and all later ones are interrupted.
  explicit RecordingSleeper(std::size_t interrupt_at = static_cast<std::size_t>(-1))
      : interrupt_at_(interrupt_at) {}

  bool Sleep(absl::Duration duration) override {
    absl::MutexLock lock(&mutex_);
    slept_.push_back(duration);
    return slept_.size() < interrupt_at_;
  }
  std::vector<absl::Duration> slept() const {
    absl::MutexLock lock(&mutex_);
    return slept_;
  }

 private:
  const std::size_t interrupt_at_;
  mutable absl::Mutex mutex_;
  std::vector<absl::Duration> slept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
