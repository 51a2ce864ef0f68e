#include "common/rpc/backoff.h"

#include <algorithm>
#include <random>
#include <utility>

namespace heroq {

JitterSource SystemJitter() {
  return [] {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
  };
}

Backoff::Backoff(BackoffOptions options, JitterSource jitter)
    : options_(options), jitter_(std::move(jitter)), delay_(options.initial) {}

absl::Duration Backoff::Next() {
  const absl::Duration delay = delay_ * (1 + options_.jitter * (2 * jitter_() - 1));
  delay_ = std::min(delay_ * options_.multiplier, options_.maximum);
  return delay;
}

void Backoff::Reset() { delay_ = options_.initial; }

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::Status Retry(const RetryOptions& options, const JitterSource& jitter, Sleeper& sleeper,
                   const std::function<absl::Status()>& attempt) {
  Backoff backoff(options.backoff, jitter);
  absl::Status status = attempt();
  for (int attempts = 1; attempts < options.max_attempts && IsTransient(status); ++attempts) {
    if (!sleeper.Sleep(backoff.Next())) break;
    status = attempt();
  }
  return status;
}

}  // namespace heroq
