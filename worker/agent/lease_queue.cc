#include "worker/agent/lease_queue.h"

#include <algorithm>
#include <utility>

namespace heroq {
namespace {

bool SameToken(const v1::LeaseToken& a, const v1::LeaseToken& b) {
  return a.job_id() == b.job_id() && a.lease_id() == b.lease_id() && a.fence().epoch() == b.fence().epoch() &&
         a.fence().counter() == b.fence().counter();
}

}  // namespace

std::shared_ptr<RunningLease> LeaseQueue::Add(const v1::Lease& lease) {
  absl::MutexLock lock(&mutex_);
  // The coordinator counts slots by its own view: that of a dead or reported lease is free to it, although
  // its thread may not have come back yet.
  const auto taken =
      std::count_if(leases_.begin(), leases_.end(), [](const auto& held) { return held->holds_slot(); });
  if (draining_ || taken >= capacity_) return nullptr;
  auto running = std::make_shared<RunningLease>(lease);
  leases_.push_back(running);
  waiting_.push_back(running);
  return running;
}

std::shared_ptr<RunningLease> LeaseQueue::Next() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !waiting_.empty(); };
  mutex_.Await(absl::Condition(&ready));
  if (waiting_.empty()) return nullptr;
  std::shared_ptr<RunningLease> lease = std::move(waiting_.front());
  waiting_.pop_front();
  return lease;
}

void LeaseQueue::Remove(const RunningLease& lease) {
  std::function<void()> drained;
  {
    absl::MutexLock lock(&mutex_);
    leases_.erase(std::remove_if(leases_.begin(), leases_.end(),
                                 [&](const auto& held) { return held.get() == &lease; }),
                  leases_.end());
    if (leases_.empty()) drained = std::exchange(drained_, nullptr);
  }
  if (drained) drained();
}

void LeaseQueue::Kill(const v1::LeaseToken& token) {
  for (const auto& lease : All()) {
    if (SameToken(lease->token(), token)) lease->Kill();
  }
}

void LeaseQueue::KillAll() {
  for (const auto& lease : All()) lease->Kill();
}

void LeaseQueue::StopAll() {
  for (const auto& lease : All()) lease->Stop();
}

void LeaseQueue::Drain(std::function<void()> drained) {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    for (const auto& lease : waiting_) lease->Stop();
    if (!leases_.empty()) {
      drained_ = std::move(drained);
      return;
    }
  }
  drained();
}

void LeaseQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

std::vector<v1::TaskProgress> LeaseQueue::Progress() const {
  std::vector<v1::TaskProgress> progress;
  for (const auto& lease : All()) {
    if (!lease->dead()) progress.push_back(lease->Progress());
  }
  return progress;
}

std::vector<std::shared_ptr<RunningLease>> LeaseQueue::All() const {
  absl::MutexLock lock(&mutex_);
  return leases_;
}

}  // namespace heroq
