#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/time/sleeper.h"

namespace heroq {

// Numbers in [0, 1), for jitter: many clients must not come back at the same moment.
using JitterSource = std::function<double()>;
// Seeded by the operating system. Thread-safe.
JitterSource SystemJitter();

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(500);
  absl::Duration maximum = absl::Seconds(10);
  double multiplier = 2;
  // Each delay is spread over [1 - jitter, 1 + jitter] of its length.
  double jitter = 0.2;
};

// Growing delays between attempts. Thread-compatible.
class Backoff {
 public:
  Backoff(BackoffOptions options, JitterSource jitter);
  absl::Duration Next();
  // After a success.
  void Reset();

 private:
  const BackoffOptions options_;
  const JitterSource jitter_;
  absl::Duration delay_;
};

// True where the same call may succeed later: UNAVAILABLE and DEADLINE_EXCEEDED.
bool IsTransient(const absl::Status& status);

struct RetryOptions {
  int max_attempts = 5;
  BackoffOptions backoff;
};

// Calls `attempt` until it succeeds, fails for good, was tried `max_attempts` times, or the sleeper is
// interrupted; returns its last status. Only for idempotent calls. Blocking.
absl::Status Retry(const RetryOptions& options, const JitterSource& jitter, Sleeper& sleeper,
                   const std::function<absl::Status()>& attempt);

}  // namespace heroq
