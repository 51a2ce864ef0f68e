#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace heroq {

// The bytes all uploads together may hold in memory. An upload takes its share before it reads the next chunk
// and gives it back when the chunk is on disk; while there is none, it does not read, and the sender feels it
// as back-pressure. Thread-safe, never blocks.
class UploadBudget {
 public:
  explicit UploadBudget(int64_t bytes) : free_(bytes) {}

  // Calls `granted` when `bytes` are available: before it returns, or on the thread that releases them. First
  // come, first served.
  void Acquire(int64_t bytes, std::function<void()> granted);
  void Release(int64_t bytes);

 private:
  absl::Mutex mutex_;
  int64_t free_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<int64_t, std::function<void()>>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
