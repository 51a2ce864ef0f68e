#pragma once

#include <csignal>

namespace heroq {

// SIGTERM and SIGINT of a server as something to wait for. Create it in main before any other thread: threads
// inherit the blocked signals. One at a time.
class TerminationSignal {
 public:
  TerminationSignal();
  // The signals act as before again: a second one ends the process at once.
  ~TerminationSignal();
  TerminationSignal(const TerminationSignal&) = delete;
  TerminationSignal& operator=(const TerminationSignal&) = delete;

  // Blocks until one arrives; its number.
  int Wait();
  // Makes Wait return as if SIGTERM had come. From any thread.
  static void Raise();

 private:
  sigset_t signals_;
  sigset_t previous_;
};

// Has the kernel kill this process (SIGKILL) when the thread that started it ends: a server that belongs to a
// command must not outlive it, however that ends. Its durable state stands a kill at any time. False when the
// parent was gone already. Call it first in main; `parent` is the id that the parent told this process: one
// that ended while the program was loaded cannot be asked for.
bool ExitWithParent(int parent);

}  // namespace heroq
