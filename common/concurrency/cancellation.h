#pragma once

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "common/status/error_reason.h"

namespace heroq {

// Asks long work to stop. Copies share one flag. Thread-safe.
class Cancellation {
 public:
  Cancellation() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}

  void Cancel() const { cancelled_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_->load(std::memory_order_relaxed); }
  // CANCELLED once Cancel was called. Long loops call it at least every few hundred milliseconds.
  absl::Status Check() const {
    return cancelled() ? MakeError(Reason::kCancelled, "cancelled") : absl::OkStatus();
  }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace heroq
