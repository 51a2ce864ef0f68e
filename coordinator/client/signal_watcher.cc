#include "coordinator/client/signal_watcher.h"

#include <pthread.h>

#include <cstdlib>

#include "coordinator/client/exit_code.h"

namespace heroq {
namespace {

// Ends the thread; nothing else sends it to one thread of this process.
constexpr int kStopSignal = SIGUSR2;

}  // namespace

SignalWatcher::SignalWatcher(UiEventQueue& events) : events_(events) {
  sigemptyset(&signals_);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCHLD, kStopSignal}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
  thread_ = std::thread([this] { Run(); });
}

SignalWatcher::~SignalWatcher() {
  pthread_kill(thread_.native_handle(), kStopSignal);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void SignalWatcher::Run() {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    if (signal == kStopSignal) return;
    if (signal == SIGWINCH) {
      events_.Push(ResizeEvent{});
    } else if (signal == SIGCHLD) {
      events_.Push(ChildExitEvent{});
    } else {
      // What is under way has not looked up since the last one, and somebody at a keyboard is impatient.
      // SIGTERM and SIGHUP come in pairs when a session ends.
      if (signal == SIGINT && events_.HoldsInterrupt()) std::_Exit(static_cast<int>(ExitCode::kInterrupted));
      events_.Push(InterruptEvent{});
    }
  }
}

}  // namespace heroq
