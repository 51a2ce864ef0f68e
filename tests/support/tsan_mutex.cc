// Tells ThreadSanitizer what absl::Mutex and absl::CondVar order. The system's abseil is not instrumented, so
// without this every access they guard looks like a race. Linked into programs of the tsan preset only; the
// definitions here are found before those of the library and call them.
#include <dlfcn.h>

#include <cstdlib>

#include "absl/synchronization/mutex.h"

extern "C" {
void __tsan_acquire(void* address);  // NOLINT(bugprone-reserved-identifier)
void __tsan_release(void* address);  // NOLINT(bugprone-reserved-identifier)
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

// Condition functions are called inside the library, at times on behalf of another thread, always under the
// lock.
class IgnoreConditions {
 public:
  IgnoreConditions() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreConditions() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

// The library's member function of that mangled name after "_ZN4absl7debian3".
template <typename Function>
Function* Library(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

#define HEROQ_LIBRARY(result, name, ...) \
  static auto* const library = Library<result(__VA_ARGS__)>("_ZN4absl7debian3" name)

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  HEROQ_LIBRARY(void, "5Mutex4LockEv", Mutex*);
  {
    const IgnoreConditions ignore;
    library(this);
  }
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  HEROQ_LIBRARY(void, "5Mutex6UnlockEv", Mutex*);
  __tsan_release(this);
  const IgnoreConditions ignore;
  library(this);
}

bool Mutex::TryLock() {
  HEROQ_LIBRARY(bool, "5Mutex7TryLockEv", Mutex*);
  const bool locked = library(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  HEROQ_LIBRARY(void, "5Mutex10ReaderLockEv", Mutex*);
  {
    const IgnoreConditions ignore;
    library(this);
  }
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  HEROQ_LIBRARY(void, "5Mutex12ReaderUnlockEv", Mutex*);
  __tsan_release(this);
  const IgnoreConditions ignore;
  library(this);
}

void Mutex::Await(const Condition& condition) {
  HEROQ_LIBRARY(void, "5Mutex5AwaitERKNS0_9ConditionE", Mutex*, const Condition&);
  __tsan_release(this);
  {
    const IgnoreConditions ignore;
    library(this, condition);
  }
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  HEROQ_LIBRARY(bool, "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE", Mutex*, const Condition&,
                Duration);
  __tsan_release(this);
  bool holds = false;
  {
    const IgnoreConditions ignore;
    holds = library(this, condition, timeout);
  }
  __tsan_acquire(this);
  return holds;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  HEROQ_LIBRARY(bool, "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", Mutex*, const Condition&,
                Time);
  __tsan_release(this);
  bool holds = false;
  {
    const IgnoreConditions ignore;
    holds = library(this, condition, deadline);
  }
  __tsan_acquire(this);
  return holds;
}

void Mutex::LockWhen(const Condition& condition) {
  HEROQ_LIBRARY(void, "5Mutex8LockWhenERKNS0_9ConditionE", Mutex*, const Condition&);
  {
    const IgnoreConditions ignore;
    library(this, condition);
  }
  __tsan_acquire(this);
}

void CondVar::Wait(Mutex* mutex) {
  HEROQ_LIBRARY(void, "7CondVar4WaitEPNS0_5MutexE", CondVar*, Mutex*);
  __tsan_release(mutex);
  {
    const IgnoreConditions ignore;
    library(this, mutex);
  }
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  HEROQ_LIBRARY(bool, "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE", CondVar*, Mutex*, Duration);
  __tsan_release(mutex);
  bool timed_out = false;
  {
    const IgnoreConditions ignore;
    timed_out = library(this, mutex, timeout);
  }
  __tsan_acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  HEROQ_LIBRARY(bool, "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE", CondVar*, Mutex*, Time);
  __tsan_release(mutex);
  bool timed_out = false;
  {
    const IgnoreConditions ignore;
    timed_out = library(this, mutex, deadline);
  }
  __tsan_acquire(mutex);
  return timed_out;
}

ABSL_NAMESPACE_END
}  // namespace absl
