#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/time/clock.h"
#include "coordinator/state/job_record.h"
#include "coordinator/state/journal.h"
#include "heroq/v1/journal.pb.h"

namespace heroq {

// The only way to change durable state. One writer thread takes the waiting updates, validates each against
// the working state and applies it there, appends the batch to the journal in one transaction, publishes a
// snapshot and then calls the listeners and every `done`. Leases alone are not synced: the next other update
// makes them durable. Updates that change nothing are not journaled and
// listeners do not see them. A failed append ends the process (abort): restart recovers. Thread-safe; readers
// never wait for disk.
class CoordinatorStore {
 public:
  using Done = std::function<void(const absl::Status&)>;
  // Sees every committed update with the state after its batch, in order, on the writer thread, before the
  // batch's `done`s run; must not block, add or remove listeners.
  using Listener =
      std::function<void(const v1::Update& update, const std::shared_ptr<const CoordinatorState>& state)>;

  // Replays the journal, then commits EpochStarted(last epoch + 1), which voids the leases of earlier epochs.
  static absl::StatusOr<std::unique_ptr<CoordinatorStore>> Open(std::unique_ptr<Journal> journal,
                                                                Clock& clock);
  // Finishes waiting updates.
  ~CoordinatorStore();

  // Stamps update.time if unset. `done` runs on the writer thread after the update is in the journal, or with
  // why it was refused; it must not block or wait for another commit.
  void Commit(v1::Update update, Done done);
  // Blocks; never call it from `done`, a listener or an RPC callback.
  absl::Status CommitAndWait(v1::Update update);

  std::shared_ptr<const CoordinatorState> Snapshot() const;
  int64_t epoch() const { return epoch_; }

  // Listeners of one store are called one after another. Returns a handle for RemoveListener. After
  // RemoveListener returns, the listener is not running and will not run.
  int AddListener(Listener listener);
  void RemoveListener(int handle);

 private:
  struct Waiting {
    v1::Update update;
    Done done;
  };

  CoordinatorStore(std::unique_ptr<Journal> journal, Clock& clock);
  // The writer thread. `working` is the state after the last batch.
  void Run(CoordinatorState& working);
  void Write(CoordinatorState& working, std::deque<Waiting>& batch);

  const std::unique_ptr<Journal> journal_;
  Clock& clock_;
  int64_t epoch_ = 0;
  mutable absl::Mutex mutex_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const CoordinatorState> snapshot_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex listeners_mutex_;
  std::vector<std::pair<int, Listener>> listeners_ ABSL_GUARDED_BY(listeners_mutex_);
  int next_listener_ ABSL_GUARDED_BY(listeners_mutex_) = 1;
  std::thread writer_;
};

}  // namespace heroq
