#pragma once

#include <csignal>
#include <thread>

#include "coordinator/client/ui_event.h"

namespace heroq {

// Turns SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGCHLD of this process into events while it lives. A SIGINT
// that comes while an earlier interrupt still waits to be taken ends the process at once. Create it before
// any other thread, on the main thread: threads inherit the blocked signals. One at a time.
class SignalWatcher {
 public:
  // `events` outlives it.
  explicit SignalWatcher(UiEventQueue& events);
  // Signals act as before again.
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void Run();

  UiEventQueue& events_;
  sigset_t signals_;
  sigset_t previous_;
  std::thread thread_;
};

}  // namespace heroq
