#include "common/time/clock.h"

#include <time.h>

#include "absl/time/clock.h"

namespace heroq {
namespace {

class SystemClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
  absl::Duration Monotonic() override {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

Clock& Clock::System() {
  static auto* clock = new SystemClock;
  return *clock;
}

}  // namespace heroq
