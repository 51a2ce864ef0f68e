#include "coordinator/state/coordinator_store.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/file/failpoint.h"
#include "common/log/log.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/state/job_state.h"
#include "coordinator/state/proto_time.h"

namespace heroq {
namespace {

// A lease is void after a restart in any case (its epoch is over), and whatever a worker makes of it is
// committed after it: losing one to a power cut costs the charge of its attempt.
Sync SyncOf(const std::vector<const v1::Update*>& updates) {
  const bool leases = std::all_of(updates.begin(), updates.end(),
                                  [](const v1::Update* update) { return update->has_task_leased(); });
  return leases ? Sync::kWithNext : Sync::kNow;
}

void Stamp(v1::Update& update, Clock& clock) {
  if (!update.has_time()) *update.mutable_time() = ToProto(clock.Now());
}

}  // namespace

CoordinatorStore::CoordinatorStore(std::unique_ptr<Journal> journal, Clock& clock)
    : journal_(std::move(journal)), clock_(clock) {}

absl::StatusOr<std::unique_ptr<CoordinatorStore>> CoordinatorStore::Open(std::unique_ptr<Journal> journal,
                                                                         Clock& clock) {
  std::unique_ptr<CoordinatorStore> store(new CoordinatorStore(std::move(journal), clock));
  CoordinatorState state;
  HEROQ_RETURN_IF_ERROR(store->journal_->Replay([&](const v1::Update& update) {
    if (absl::Status valid = ValidateUpdate(state, update); !valid.ok()) {
      return MakeError(Reason::kFileCorrupt,
                       absl::StrCat("update ", state.sequence + 1,
                                    " of the journal does not fit the state before it: ", valid.message()));
    }
    ApplyUpdate(state, update);
    return absl::OkStatus();
  }));
  v1::Update started;
  started.mutable_epoch_started()->set_epoch(state.epoch + 1);
  Stamp(started, clock);
  HEROQ_FAILPOINT(recovery_before_epoch);
  HEROQ_RETURN_IF_ERROR(store->journal_->Append({&started}, Sync::kNow));
  HEROQ_FAILPOINT(recovery_after_epoch);
  ApplyUpdate(state, started);
  store->epoch_ = state.epoch;
  {
    absl::MutexLock lock(&store->mutex_);
    store->snapshot_ = std::make_shared<const CoordinatorState>(state);
  }
  store->writer_ =
      std::thread([raw = store.get(), working = std::move(state)]() mutable { raw->Run(working); });
  return store;
}

CoordinatorStore::~CoordinatorStore() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  if (writer_.joinable()) writer_.join();
}

void CoordinatorStore::Commit(v1::Update update, Done done) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back({std::move(update), std::move(done)});
}

absl::Status CoordinatorStore::CommitAndWait(v1::Update update) {
  absl::Notification finished;
  absl::Status result;
  Commit(std::move(update), [&](const absl::Status& status) {
    result = status;
    finished.Notify();
  });
  finished.WaitForNotification();
  return result;
}

std::shared_ptr<const CoordinatorState> CoordinatorStore::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

int CoordinatorStore::AddListener(Listener listener) {
  absl::MutexLock lock(&listeners_mutex_);
  listeners_.emplace_back(next_listener_, std::move(listener));
  return next_listener_++;
}

void CoordinatorStore::RemoveListener(int handle) {
  absl::MutexLock lock(&listeners_mutex_);
  listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(),
                                  [&](const auto& listener) { return listener.first == handle; }),
                   listeners_.end());
}

void CoordinatorStore::Run(CoordinatorState& working) {
  while (true) {
    std::deque<Waiting> batch;
    {
      absl::MutexLock lock(&mutex_);
      const auto woken = [this]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_ || !waiting_.empty(); };
      mutex_.Await(absl::Condition(&woken));
      if (waiting_.empty()) return;
      batch.swap(waiting_);
    }
    Write(working, batch);
  }
}

void CoordinatorStore::Write(CoordinatorState& working, std::deque<Waiting>& batch) {
  std::vector<absl::Status> results;
  std::vector<const v1::Update*> accepted;
  for (Waiting& waiting : batch) {
    Stamp(waiting.update, clock_);
    results.push_back(ValidateUpdate(working, waiting.update));
    if (!results.back().ok() || !ChangesState(working, waiting.update)) continue;
    ApplyUpdate(working, waiting.update);
    accepted.push_back(&waiting.update);
  }
  std::shared_ptr<const CoordinatorState> state;
  if (!accepted.empty()) {
    if (absl::Status appended = journal_->Append(accepted, SyncOf(accepted)); !appended.ok()) {
      Log(LogLevel::kError,
          "the journal cannot be written; stopping, since what is on disk is unknown until a restart",
          {{"error", appended.ToString()}});
      std::abort();
    }
    state = std::make_shared<const CoordinatorState>(working);
    absl::MutexLock lock(&mutex_);
    snapshot_ = state;
  }
  {
    absl::MutexLock lock(&listeners_mutex_);
    for (const v1::Update* update : accepted) {
      for (const auto& [handle, listener] : listeners_) listener(*update, state);
    }
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].done) batch[i].done(results[i]);
  }
}

}  // namespace heroq
