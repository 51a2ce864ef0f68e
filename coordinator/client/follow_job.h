#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/time/clock.h"
#include "coordinator/client/progress_renderer.h"
#include "coordinator/client/ui_event.h"

namespace heroq {

enum class FollowEnd { kJobEnded, kInterrupted, kTimedOut, kFailed };

struct FollowResult {
  FollowEnd end = FollowEnd::kFailed;
  v1::QuantizationJob job;  // as last seen
  absl::Status status;      // kFailed: why
};

struct FollowHooks {
  // After a ChildExitEvent; an error ends the following.
  std::function<absl::Status()> on_child_exit;
  // Whether a job that stays blocked for 12 s ends the following, with the IO_ERROR it cannot get past.
  bool ends_when_blocked = false;
  // Every update, before it is shown.
  std::function<void(const v1::WatchQuantizationJobResponse&)> on_update;
};

// Shows what a JobWatcher puts into `events` until the job has ended, the user interrupts, `deadline` (on the
// monotonic clock) has passed or the watch fails. Blocking.
FollowResult FollowJob(UiEventQueue& events, ProgressRenderer& progress, Clock& clock,
                       std::optional<absl::Duration> deadline, const FollowHooks& hooks);

}  // namespace heroq
