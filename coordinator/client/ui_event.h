#pragma once

#include <deque>
#include <optional>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

struct InterruptEvent {};  // SIGINT, SIGTERM or SIGHUP
struct ResizeEvent {};     // SIGWINCH
struct ChildExitEvent {};  // SIGCHLD; one may stand for several children
struct CallEndedEvent {};  // a call to the server that ran beside the loop
struct ConnectionLostEvent {
  absl::Status status;  // being tried again
};
struct WatchEndedEvent {
  absl::Status status;  // OK: the job ended
};
using UiEvent = std::variant<InterruptEvent, ResizeEvent, ChildExitEvent, CallEndedEvent, ConnectionLostEvent,
                             WatchEndedEvent, v1::WatchQuantizationJobResponse>;

// Where everything that happens beside the main thread of the command meets it. Thread-safe.
class UiEventQueue {
 public:
  void Push(UiEvent event);
  // The oldest event; waits for one up to `timeout`. nullopt: none came.
  std::optional<UiEvent> Pop(absl::Duration timeout);
  // An InterruptEvent is among the events that nobody took yet.
  bool HoldsInterrupt() const;

 private:
  mutable absl::Mutex mutex_;
  std::deque<UiEvent> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
