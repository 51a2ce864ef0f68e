#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/concurrency/cancellation.h"
#include "heroq/v1/scheduling.pb.h"
#include "heroq/v1/worker_service.pb.h"

namespace heroq {

// A lease this worker holds, from its arrival until its result is handed in or dropped. Thread-safe.
class RunningLease {
 public:
  explicit RunningLease(v1::Lease lease) : lease_(std::move(lease)) {}

  const v1::Lease& lease() const { return lease_; }
  const v1::LeaseToken& token() const { return lease_.token(); }
  const Cancellation& cancellation() const { return cancellation_; }

  // Stops the work; the lease is then given back.
  void Stop() { cancellation_.Cancel(); }
  // The token is over: stops the work, and nothing is reported.
  void Kill() {
    dead_.store(true);
    cancellation_.Cancel();
  }
  bool dead() const { return dead_.load(); }

  // The outcome is being handed in. The coordinator may have taken it, and given the slot away, before its
  // answer is here.
  void BeginReport() { reporting_.store(true); }
  bool holds_slot() const { return !dead_.load() && !reporting_.load(); }

  void SetProgress(const std::string& activity, double fraction) {
    absl::MutexLock lock(&mutex_);
    progress_.set_activity(activity);
    progress_.set_fraction(fraction);
  }
  v1::TaskProgress Progress() const {
    absl::MutexLock lock(&mutex_);
    v1::TaskProgress progress = progress_;
    *progress.mutable_token() = lease_.token();
    return progress;
  }

 private:
  const v1::Lease lease_;
  const Cancellation cancellation_;
  std::atomic<bool> dead_{false};
  std::atomic<bool> reporting_{false};
  mutable absl::Mutex mutex_;
  v1::TaskProgress progress_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
