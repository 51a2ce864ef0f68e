#pragma once

#include "absl/time/time.h"

namespace heroq {

// The only source of time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time, for people and journals. May jump.
  virtual absl::Time Now() = 0;
  // Time since an arbitrary start that never goes back and keeps running while the machine sleeps: leases,
  // deadlines, durations.
  virtual absl::Duration Monotonic() = 0;

  // The process-wide real clock; never destroyed.
  static Clock& System();
};

}  // namespace heroq
