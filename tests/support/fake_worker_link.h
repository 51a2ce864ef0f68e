#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/scheduling/worker_link.h"

namespace heroq {

// Records what the coordinator sends. Thread-safe.
class FakeWorkerLink final : public WorkerLink {
 public:
  void Send(v1::SessionResponse message) override {
    absl::MutexLock lock(&mutex_);
    messages_.push_back(std::move(message));
  }

  // Everything since the last Take.
  std::vector<v1::SessionResponse> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(messages_, {});
  }
  // The leases among everything since the last Take; the rest is dropped.
  std::vector<v1::Lease> TakeLeases() {
    std::vector<v1::Lease> leases;
    for (v1::SessionResponse& message : Take()) {
      if (message.has_lease()) leases.push_back(std::move(*message.mutable_lease()));
    }
    return leases;
  }

 private:
  absl::Mutex mutex_;
  std::vector<v1::SessionResponse> messages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
