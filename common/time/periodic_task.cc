#include "common/time/periodic_task.h"

#include <utility>

namespace heroq {

PeriodicTask::PeriodicTask(absl::Duration period, std::function<void()> function)
    : period_(period), function_(std::move(function)), thread_([this] { Run(); }) {}

PeriodicTask::~PeriodicTask() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

void PeriodicTask::Nudge() {
  absl::MutexLock lock(&mutex_);
  nudged_ = true;
}

void PeriodicTask::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      auto woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_ || nudged_; };
      mutex_.AwaitWithTimeout(absl::Condition(&woken), period_);
      if (stop_) return;
      nudged_ = false;
    }
    function_();
  }
}

}  // namespace heroq
