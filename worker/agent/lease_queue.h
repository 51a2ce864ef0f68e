#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "worker/agent/running_lease.h"

namespace heroq {

// The leases of one worker: those that wait for a thread and those that run. Thread-safe.
class LeaseQueue {
 public:
  // Of `capacity` leases at once, as many as the worker has slots run.
  explicit LeaseQueue(int capacity) : capacity_(capacity) {}

  // nullptr when the queue is full or draining: the lease is then to be released.
  std::shared_ptr<RunningLease> Add(const v1::Lease& lease);
  // Blocks until a lease waits; nullptr after Close.
  std::shared_ptr<RunningLease> Next();
  // The lease has been dealt with.
  void Remove(const RunningLease& lease);

  // The attempt with this token is over.
  void Kill(const v1::LeaseToken& token);
  void KillAll();
  // Takes no more leases, and stops those that wait. `drained` is called once none is left: now, or on the
  // thread that removes the last one.
  void Drain(std::function<void()> drained);
  // Stops every lease so that it is given back.
  void StopAll();
  // Next returns nullptr from now on.
  void Close();

  std::vector<v1::TaskProgress> Progress() const;

 private:
  std::vector<std::shared_ptr<RunningLease>> All() const;

  const int capacity_;
  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<RunningLease>> leases_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<RunningLease>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> drained_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
