#include "coordinator/client/ui_event.h"

#include <algorithm>
#include <utility>

namespace heroq {

void UiEventQueue::Push(UiEvent event) {
  absl::MutexLock lock(&mutex_);
  events_.push_back(std::move(event));
}

std::optional<UiEvent> UiEventQueue::Pop(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !events_.empty(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ready), timeout)) return std::nullopt;
  UiEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool UiEventQueue::HoldsInterrupt() const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(events_.begin(), events_.end(),
                     [](const UiEvent& event) { return std::holds_alternative<InterruptEvent>(event); });
}

}  // namespace heroq
