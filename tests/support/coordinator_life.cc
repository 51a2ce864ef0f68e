#include "tests/support/coordinator_life.h"

#include <optional>
#include <utility>

#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/state/sqlite_journal.h"

namespace heroq {

// Keeps the error of an append, where the store would end the process.
class CoordinatorLife::GuardedJournal final : public Journal {
 public:
  GuardedJournal(CoordinatorLife& life, std::unique_ptr<Journal> journal)
      : life_(life), journal_(std::move(journal)) {}

  absl::Status Replay(const std::function<absl::Status(const v1::Update&)>& visit) override {
    return journal_->Replay([&](const v1::Update& update) {
      life_.acknowledged_.Add(update);
      return visit(update);
    });
  }

  absl::Status Append(const std::vector<const v1::Update*>& updates, Sync sync) override {
    if (!life_.Stopped().ok()) return absl::OkStatus();
    absl::Status appended = journal_->Append(updates, sync);
    // The first one is the epoch, with which Open fails by itself.
    if (life_.store_ == nullptr && !appended.ok()) return appended;
    if (appended.ok()) {
      for (const v1::Update* update : updates) unsynced_.push_back(*update);
      if (sync == Sync::kWithNext) return absl::OkStatus();
      for (const v1::Update& update : unsynced_) life_.acknowledged_.Add(update);
      unsynced_.clear();
      return absl::OkStatus();
    }
    life_.files_.SetFrozen(true);
    absl::MutexLock lock(&life_.mutex_);
    life_.stopped_ = std::move(appended);
    return absl::OkStatus();
  }

 private:
  CoordinatorLife& life_;
  const std::unique_ptr<Journal> journal_;
  std::vector<v1::Update> unsynced_;
};

absl::StatusOr<std::unique_ptr<CoordinatorLife>> CoordinatorLife::Start(PowerCutFileSystem& files,
                                                                        const std::string& state_directory) {
  std::unique_ptr<CoordinatorLife> life(new CoordinatorLife(files));
  HEROQ_RETURN_IF_ERROR(life->Open(state_directory));
  return life;
}

absl::Status CoordinatorLife::Open(const std::string& state_directory) {
  HEROQ_ASSIGN_OR_RETURN(std::unique_ptr<SqliteJournal> journal,
                         SqliteJournal::Open(files_, state_directory));
  HEROQ_ASSIGN_OR_RETURN(blobs_, DirectoryBlobStore::Open(files_, JoinPath(state_directory, "blobs")));
  auto guarded = std::make_unique<GuardedJournal>(*this, std::move(journal));
  HEROQ_ASSIGN_OR_RETURN(store_, CoordinatorStore::Open(std::move(guarded), clock_));
  // Without the epoch that began now.
  replayed_ = acknowledged_.size() - 1;
  worker_ = std::make_unique<StandInWorker>(files_, *blobs_);
  planner_ = std::make_unique<Planner>(files_, *blobs_, Roots{{"local", "/"}});
  driver_ = std::make_unique<JobDriver>(*store_, *planner_, files_, *blobs_, clock_,
                                        JobDriverOptions{"1.2.3", /*keep_state=*/false});
  return absl::OkStatus();
}

CoordinatorLife::~CoordinatorLife() {
  driver_.reset();
  store_.reset();
  files_.SetFrozen(false);
}

absl::Status CoordinatorLife::Stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

absl::Status CoordinatorLife::Commit(v1::Update update) {
  HEROQ_RETURN_IF_ERROR(store_->CommitAndWait(std::move(update)));
  return Stopped();
}

absl::Status CoordinatorLife::EnsureJob(const std::string& job_id, const v1::JobSpec& spec) {
  const std::shared_ptr<const JobRecord> job = Job(job_id);
  if (job != nullptr && job->state != v1::QuantizationJob::STATE_FAILED) return absl::OkStatus();
  if (job != nullptr) {
    v1::Update update;
    update.mutable_job_deleted()->set_job_id(job_id);
    HEROQ_RETURN_IF_ERROR(Commit(std::move(update)));
  }
  v1::Update update;
  update.mutable_job_created()->set_job_id(job_id);
  *update.mutable_job_created()->mutable_spec() = spec;
  return Commit(std::move(update));
}

absl::Status CoordinatorLife::RunToEnd(const std::string& job_id) {
  for (;;) {
    driver_->RunUntilIdle();
    HEROQ_RETURN_IF_ERROR(Stopped());
    const std::shared_ptr<const CoordinatorState> state = store_->Snapshot();
    const std::shared_ptr<const JobRecord> job = state->FindJob(job_id);
    if (job == nullptr) return absl::OkStatus();
    HEROQ_ASSIGN_OR_RETURN(std::optional<StandInWorker::Updates> updates,
                           worker_->RunReadyTask(*state, *job));
    if (!updates.has_value()) return absl::OkStatus();
    HEROQ_RETURN_IF_ERROR(Commit(std::move(updates->leased)));
    HEROQ_RETURN_IF_ERROR(Commit(std::move(updates->completed)));
  }
}

}  // namespace heroq
