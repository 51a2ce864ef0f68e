#include "coordinator/service/upload_budget.h"

#include <vector>

namespace heroq {

void UploadBudget::Acquire(int64_t bytes, std::function<void()> granted) {
  {
    absl::MutexLock lock(&mutex_);
    if (!waiting_.empty() || free_ < bytes) {
      waiting_.emplace_back(bytes, std::move(granted));
      return;
    }
    free_ -= bytes;
  }
  granted();
}

void UploadBudget::Release(int64_t bytes) {
  std::vector<std::function<void()>> granted;
  {
    absl::MutexLock lock(&mutex_);
    free_ += bytes;
    while (!waiting_.empty() && waiting_.front().first <= free_) {
      free_ -= waiting_.front().first;
      granted.push_back(std::move(waiting_.front().second));
      waiting_.pop_front();
    }
  }
  for (const auto& call : granted) call();
}

}  // namespace heroq
