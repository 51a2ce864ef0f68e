#include "coordinator/assembly/job_driver.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file/io_error.h"
#include "common/log/log.h"
#include "common/status/error_reason.h"
#include "common/time/periodic_task.h"
#include "coordinator/assembly/blob_collection.h"
#include "coordinator/assembly/job_steps.h"

namespace heroq {
namespace {

// How long a step that could not even record its failure waits before it is tried again.
constexpr absl::Duration kRetryPeriod = absl::Seconds(5);
constexpr absl::Duration kUnreferencedBlobAge = absl::Hours(24);

absl::StatusOr<bool> RunningStep(DriverSeams& seams, const CoordinatorState& state, const JobRecord& job,
                                 JobWork& work) {
  if (job.plan->output_directory().empty()) return EvaluateOnlyStep(seams, job);
  if (work.staged == nullptr) {
    absl::StatusOr<bool> forward = RollForwardStep(seams, job);
    if (!forward.ok() || *forward) return forward;
  }
  absl::StatusOr<bool> assembled = AssembleStep(seams, state, job, work);
  if (!assembled.ok() || *assembled) return assembled;
  if (!work.staged->complete()) return false;
  return PublishStep(seams, job, work);
}

}  // namespace

class JobDriver::Impl {
 public:
  Impl(CoordinatorStore& store, Planner& planner, FileSystem& files, DirectoryBlobStore& blobs, Clock& clock,
       JobDriverOptions options)
      : options_(std::move(options)), seams_{store, planner, files, blobs, clock, options_} {}

  ~Impl() {
    if (listener_ != 0) seams_.store.RemoveListener(listener_);
    {
      absl::MutexLock lock(&stop_mutex_);
      stop_ = true;
    }
    thread_.reset();
  }

  void Start() {
    thread_ = std::make_unique<PeriodicTask>(kRetryPeriod, [this] { RunUntilIdle(); });
    listener_ = seams_.store.AddListener(
        [this](const v1::Update&, const std::shared_ptr<const CoordinatorState>&) { thread_->Nudge(); });
    thread_->Nudge();
  }

  void RunUntilIdle() {
    while (!Stopped() && RunOneStep()) {
    }
  }

  bool RunOneStep() {
    absl::MutexLock lock(&mutex_);
    const std::shared_ptr<const CoordinatorState> state = seams_.store.Snapshot();
    SweepOnce(*state);
    ForgetDeleted(*state);
    std::vector<std::shared_ptr<const JobRecord>> jobs;
    for (const auto& [id, job] : state->jobs) jobs.push_back(job);
    std::sort(jobs.begin(), jobs.end(),
              [](const auto& a, const auto& b) { return a->creation_sequence < b->creation_sequence; });
    bool any = false;
    // One step of every job in turn, so that a long job does not hold up the others.
    for (const std::shared_ptr<const JobRecord>& job : jobs) any |= StepJob(*state, *job);
    return any;
  }

 private:
  using State = v1::QuantizationJob;

  bool Stopped() {
    absl::MutexLock lock(&stop_mutex_);
    return stop_;
  }

  bool StepJob(const CoordinatorState& state, const JobRecord& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    JobWork& work = work_[job.job_id];
    if (job.terminal()) {
      if (work.cleaned) return false;
      const absl::Status cleaned = CleanUp(seams_, state, job, work);
      if (!cleaned.ok()) {
        Log(LogLevel::kWarning, "cleaning up after a job failed",
            {{"job", job.job_id}, {"error", std::string(cleaned.message())}});
      }
      // What could not be removed is tried again by the next start.
      work.cleaned = true;
      return true;
    }
    absl::StatusOr<bool> progress = false;
    if (job.state == State::STATE_QUEUED) {
      // What it remembers is of a trial that is over.
      work = JobWork();
      progress = PlanStep(seams_, job);
    } else if (job.state == State::STATE_RUNNING) {
      progress = RunningStep(seams_, state, job, work);
    } else if (job.state == State::STATE_CANCELLING) {
      progress = CancelStep(seams_, job, work);
    }
    if (!progress.ok()) return HandleError(job, progress.status(), work);
    // Nothing is left that could fail. A step that succeeds says less: what failed may come after it.
    if (!*progress && IsBlockedByDriver(job)) CommitBlocked(job, v1::JobFailure());
    return *progress;
  }

  static bool IsBlockedByDriver(const JobRecord& job) {
    return !job.blocked.reason().empty() && job.blocked.task_id().empty();
  }

  // Records what the job cannot get past. Once: the next try may name another temporary file, and what is
  // recorded wakes the driver.
  void Block(const JobRecord& job, const absl::Status& error) {
    if (IsBlockedByDriver(job)) return;
    Log(LogLevel::kError, "job is blocked", {{"job", job.job_id}, {"error", std::string(error.message())}});
    CommitBlocked(job, FailureOf(error));
  }

  // No reason: it can go on.
  void CommitBlocked(const JobRecord& job, const v1::JobFailure& reason) {
    v1::Update update;
    update.mutable_job_blocked()->set_job_id(job.job_id);
    *update.mutable_job_blocked()->mutable_reason() = reason;
    const absl::Status committed = seams_.store.CommitAndWait(std::move(update));
    if (!committed.ok()) {
      Log(LogLevel::kInfo, "the job moved on meanwhile",
          {{"job", job.job_id}, {"error", std::string(committed.message())}});
    }
  }

  // A step's error fails the job, unless the job has moved on meanwhile (cancelled, or failed by a worker),
  // or storage failed: then the step is tried again, from what is durable, until it passes.
  bool HandleError(const JobRecord& job, const absl::Status& error, JobWork& work) {
    const std::shared_ptr<const JobRecord> now = seams_.store.Snapshot()->FindJob(job.job_id);
    if (now == nullptr || now->state != job.state) return true;
    if (now->state == State::STATE_RUNNING &&
        (IsStorageTrouble(error) || (HasReason(error, Reason::kIo) && IsPublished(seams_.files, *now)))) {
      work = JobWork();
      Block(*now, error);
      return false;
    }
    Log(LogLevel::kError, "job failed", {{"job", job.job_id}, {"error", std::string(error.message())}});
    const absl::Status committed = FailJob(seams_, job, error);
    if (committed.ok()) return true;
    Log(LogLevel::kError, "the failure of a job could not be recorded",
        {{"job", job.job_id}, {"error", std::string(committed.message())}});
    return false;
  }

  void SweepOnce(const CoordinatorState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (swept_) return;
    swept_ = true;
    const absl::Status swept = SweepBlobs(state, seams_.files, seams_.blobs, seams_.clock.Now(),
                                          kUnreferencedBlobAge, options_.keep_state);
    if (!swept.ok()) {
      Log(LogLevel::kWarning, "removing unreferenced blobs failed",
          {{"error", std::string(swept.message())}});
    }
  }

  void ForgetDeleted(const CoordinatorState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto entry = work_.begin(); entry != work_.end();) {
      entry = state.jobs.count(entry->first) == 0 ? work_.erase(entry) : std::next(entry);
    }
  }

  const JobDriverOptions options_;
  DriverSeams seams_;
  absl::Mutex mutex_;
  std::map<std::string, JobWork> work_ ABSL_GUARDED_BY(mutex_);
  bool swept_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex stop_mutex_;
  bool stop_ ABSL_GUARDED_BY(stop_mutex_) = false;
  int listener_ = 0;
  std::unique_ptr<PeriodicTask> thread_;
};

JobDriver::JobDriver(CoordinatorStore& store, Planner& planner, FileSystem& files, DirectoryBlobStore& blobs,
                     Clock& clock, JobDriverOptions options)
    : impl_(std::make_unique<Impl>(store, planner, files, blobs, clock, std::move(options))) {}

JobDriver::~JobDriver() = default;

void JobDriver::Start() { impl_->Start(); }

void JobDriver::RunUntilIdle() { impl_->RunUntilIdle(); }

bool JobDriver::RunOneStep() { return impl_->RunOneStep(); }

}  // namespace heroq
