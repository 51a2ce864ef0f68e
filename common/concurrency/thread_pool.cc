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
      const auto ready = [this]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_ || !waiting_.empty(); };
      mutex_.Await(absl::Condition(&ready));
      // What a running function schedules later, its own thread comes back for.
      if (waiting_.empty()) return;
      function = std::move(waiting_.front());
      waiting_.pop_front();
    }
    function();
  }
}

}  // namespace heroq
