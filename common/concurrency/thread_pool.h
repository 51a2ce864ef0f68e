#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace heroq {

// A fixed number of threads that run functions in the order they were given. Thread-safe. Functions may block
// and may schedule more; they must not throw.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  // Runs everything that was scheduled, also by what runs meanwhile, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Never blocks.
  void Schedule(std::function<void()> function);

 private:
  void Run();

  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace heroq
