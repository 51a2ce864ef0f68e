#include "common/concurrency/thread_pool.h"

#include <utility>

namespace heroq {

ThreadPool::ThreadPool(int threads) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Schedule(std::function<void()> function) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(function));
}

void ThreadPool::Run() {
  while (true) {
    std::function<void()> function;
    {
      absl::MutexLock lock(&mutex_);
      // A running function may still schedule another, so a thread leaves only when nothing waits and nothing
      // runs.
      auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return !waiting_.empty() || (stop_ && running_ == 0);
      };
      mutex_.Await(absl::Condition(&ready));
      if (waiting_.empty()) return;
      function = std::move(waiting_.front());
      waiting_.pop_front();
      ++running_;
    }
    function();
    // Captures are destroyed before the pool counts as idle.
    function = nullptr;
    absl::MutexLock lock(&mutex_);
    --running_;
  }
}

}  // namespace heroq
