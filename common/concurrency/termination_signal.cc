#include "common/concurrency/termination_signal.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace heroq {

TerminationSignal::TerminationSignal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
}

TerminationSignal::~TerminationSignal() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

int TerminationSignal::Wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  return signal;
}

void TerminationSignal::Raise() { kill(getpid(), SIGTERM); }

bool ExitWithParent(int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before the line above; then this process has another parent now.
  return getppid() == parent;
}

}  // namespace heroq
