#include "common/time/sleeper.h"

namespace heroq {

bool InterruptibleSleeper::Sleep(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&interrupted_), duration);
}

void InterruptibleSleeper::Interrupt() {
  absl::MutexLock lock(&mutex_);
  interrupted_ = true;
}

}  // namespace heroq
