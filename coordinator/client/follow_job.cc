#include "coordinator/client/follow_job.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// Times on the screen move and deadlines are seen this often without any event.
constexpr absl::Duration kTick = absl::Milliseconds(200);
// Longer than a coordinator takes to try again.
constexpr absl::Duration kBlockedPatience = absl::Seconds(12);

}  // namespace

FollowResult FollowJob(UiEventQueue& events, ProgressRenderer& progress, Clock& clock,
                       std::optional<absl::Duration> deadline, const FollowHooks& hooks) {
  FollowResult result;
  const auto ended = [&](FollowEnd end, absl::Status status = absl::OkStatus()) {
    progress.Finish();
    result.end = end;
    result.status = std::move(status);
    return result;
  };
  absl::Duration blocked_since = clock.Monotonic();
  for (;;) {
    const absl::Duration now = clock.Monotonic();
    if (deadline.has_value() && now >= *deadline) return ended(FollowEnd::kTimedOut);
    if (!result.job.has_blocked()) blocked_since = now;
    if (hooks.ends_when_blocked && now - blocked_since >= kBlockedPatience) {
      return ended(FollowEnd::kFailed, MakeError(Reason::kIo, result.job.blocked().message()));
    }
    const std::optional<UiEvent> event = events.Pop(kTick);
    if (!event.has_value() || std::holds_alternative<ResizeEvent>(*event)) {
      progress.Refresh();
    } else if (std::holds_alternative<InterruptEvent>(*event)) {
      return ended(FollowEnd::kInterrupted);
    } else if (std::holds_alternative<ChildExitEvent>(*event)) {
      if (!hooks.on_child_exit) continue;
      if (absl::Status status = hooks.on_child_exit(); !status.ok()) return ended(FollowEnd::kFailed, status);
    } else if (const auto* update = std::get_if<v1::WatchQuantizationJobResponse>(&*event)) {
      result.job = update->job();
      if (hooks.on_update) hooks.on_update(*update);
      progress.Update(update->job(), update->has_event() ? &update->event() : nullptr);
    } else if (const auto* lost = std::get_if<ConnectionLostEvent>(&*event)) {
      progress.Note(absl::StrCat("connection lost (", lost->status.message(), "); trying again"));
    } else if (const auto* watch_end = std::get_if<WatchEndedEvent>(&*event)) {
      return watch_end->status.ok() ? ended(FollowEnd::kJobEnded)
                                    : ended(FollowEnd::kFailed, watch_end->status);
    }
  }
}

}  // namespace heroq
