#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/state/coordinator_store.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// The events of one job for one watcher. A watcher that falls behind loses the oldest events: each message it
// gets carries the newest state anyway. Thread-safe, never blocks.
class JobSubscription {
 public:
  struct Next {
    std::optional<v1::JobEvent> event;
    // The job may have changed without an event since the last call (progress of its tasks).
    bool refresh = false;
  };
  // Takes what is next; neither when there is nothing.
  Next Take();

 private:
  friend class JobEvents;
  JobSubscription(std::string job_id, std::function<void()> wake)
      : job_id_(std::move(job_id)), wake_(std::move(wake)) {}
  void Add(const v1::JobEvent& event);
  void Refresh();

  const std::string job_id_;
  const std::function<void()> wake_;
  absl::Mutex mutex_;
  std::deque<v1::JobEvent> events_ ABSL_GUARDED_BY(mutex_);
  bool refresh_ ABSL_GUARDED_BY(mutex_) = false;
};

// Turns committed updates into numbered events and hands them to watchers. An event's number is that of its
// update in the journal, so it stays the same over restarts. The newest events are kept, for watchers that
// come back. Thread-safe.
class JobEvents {
 public:
  // Listens to `store`, which outlives this. Construct before anything is committed beyond Open: numbers are
  // counted.
  explicit JobEvents(CoordinatorStore& store);
  ~JobEvents();

  // `wake` is called after each event, on the thread that committed it, and must not block; the subscription
  // may be gone by then. `after_sequence` above 0: kept events after it come first. The subscription lasts as
  // long as the pointer.
  std::shared_ptr<JobSubscription> Subscribe(const std::string& job_id, int64_t after_sequence,
                                             std::function<void()> wake);
  // Wakes every watcher for the progress of running tasks.
  void RefreshAll();
  // The newest update a snapshot of the store shows, and the newest one handed to watchers: a little behind
  // it.
  int64_t CommittedSequence() const { return store_.Snapshot()->sequence; }
  int64_t DeliveredSequence() const;

 private:
  void OnUpdate(const v1::Update& update);

  CoordinatorStore& store_;
  int listener_ = 0;
  mutable absl::Mutex mutex_;
  int64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::pair<std::string, v1::JobEvent>> kept_ ABSL_GUARDED_BY(mutex_);
  std::multimap<std::string, std::weak_ptr<JobSubscription>> subscriptions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace heroq
