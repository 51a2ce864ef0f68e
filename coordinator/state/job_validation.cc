#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/state/job_state.h"
#include "coordinator/state/plan_check.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

absl::Status Refuse(absl::string_view job_id, absl::string_view what) {
  return MakeError(Reason::kInternal, absl::StrCat("job ", job_id, ": ", what),
                   {{"job_id", std::string(job_id)}});
}

absl::Status Stale(absl::string_view job_id, absl::string_view lease_id, absl::string_view why) {
  return MakeError(Reason::kStaleAttempt, absl::StrCat("job ", job_id, ": lease ", lease_id, " ", why),
                   {{"job_id", std::string(job_id)}, {"lease_id", std::string(lease_id)}});
}

absl::StatusOr<const JobRecord*> Find(const CoordinatorState& state, const std::string& job_id) {
  const auto found = state.jobs.find(job_id);
  if (found == state.jobs.end()) {
    return MakeError(Reason::kJobNotFound, absl::StrCat("job ", job_id, " does not exist"),
                     {{"job_id", job_id}});
  }
  return found->second.get();
}

absl::StatusOr<const JobRecord*> FindRunning(const CoordinatorState& state, const std::string& job_id) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, job_id));
  if (job->state == Job::STATE_CANCELLING || job->state == Job::STATE_CANCELLED) {
    return MakeError(Reason::kCancelled, absl::StrCat("job ", job_id, " is cancelled"), {{"job_id", job_id}});
  }
  if (job->state != Job::STATE_RUNNING) {
    return Refuse(job_id, absl::StrCat("is ", Job::State_Name(job->state), ", expected STATE_RUNNING"));
  }
  return job;
}

absl::Status Validate(const CoordinatorState& state, const v1::EpochStarted& change) {
  // The epoch after it must be a number, too.
  if (change.epoch() <= state.epoch || change.epoch() == std::numeric_limits<int64_t>::max()) {
    return MakeError(Reason::kInternal,
                     absl::StrCat("epoch ", change.epoch(), " does not follow ", state.epoch));
  }
  return absl::OkStatus();
}

absl::Status Validate(const CoordinatorState& state, const v1::JobCreated& change) {
  if (change.job_id().empty()) return MakeError(Reason::kInternal, "a job needs an id");
  if (state.jobs.count(change.job_id()) > 0) {
    return MakeError(Reason::kJobExists, absl::StrCat("job ", change.job_id(), " exists"),
                     {{"job_id", change.job_id()}});
  }
  if (change.request_id().empty()) return absl::OkStatus();
  for (const auto& [job_id, job] : state.jobs) {
    if (job->request_id == change.request_id() && job->tenant == change.tenant()) {
      return MakeError(Reason::kJobExists,
                       absl::StrCat("request ", change.request_id(), " has already created job ", job_id),
                       {{"job_id", job_id}});
    }
  }
  return absl::OkStatus();
}

absl::Status Validate(const CoordinatorState& state, const v1::JobPlanned& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, change.job_id()));
  if (job->state == Job::STATE_QUEUED) {
    if (change.trial() < 0 || change.trial() > static_cast<int>(job->trials.size()) + 1) {
      return Refuse(change.job_id(),
                    absl::StrCat("trial ", change.trial(), " is planned after ", job->trials.size()));
    }
    return CheckPlan(change.plan());
  }
  if (job->state == Job::STATE_CANCELLING || job->state == Job::STATE_CANCELLED) {
    return MakeError(Reason::kCancelled, absl::StrCat("job ", change.job_id(), " is cancelled"),
                     {{"job_id", change.job_id()}});
  }
  return Refuse(change.job_id(), "is planned already");
}

absl::Status Validate(const CoordinatorState& state, const v1::TaskLeased& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, FindRunning(state, change.job_id()));
  const auto refuse = [&](absl::string_view why) {
    return Refuse(change.job_id(), absl::StrCat("lease ", change.lease_id(), ": ", why));
  };
  if (change.fence().epoch() != state.epoch || change.fence().counter() <= state.last_fence_counter) {
    return refuse(absl::StrCat("fence ", change.fence().epoch(), ".", change.fence().counter(),
                               " does not follow ", state.epoch, ".", state.last_fence_counter));
  }
  if (change.lease_id().empty() || job->leases.count(change.lease_id()) > 0) return refuse("id is not new");
  if (change.numeric_class().empty() || change.worker_id().empty()) return refuse("names no worker or class");
  if (!job->numeric_class.empty() && job->numeric_class != change.numeric_class()) {
    return refuse(absl::StrCat("class ", change.numeric_class(), ", expected ", job->numeric_class));
  }
  if (change.task_ids().empty()) return refuse("has no tasks");
  std::set<int> seen;
  int attempts = 0;
  for (const std::string& id : change.task_ids()) {
    const std::optional<int> task = job->graph->Find(id);
    if (!task.has_value() || !seen.insert(*task).second || !job->Ready(*task)) {
      return refuse(absl::StrCat("task ", id, " is unknown, listed twice or not ready"));
    }
    attempts = std::max(attempts, job->tasks[*task].attempts);
  }
  if (change.attempt() != attempts + 1) {
    return refuse(absl::StrCat("attempt ", change.attempt(), ", expected ", attempts + 1));
  }
  return absl::OkStatus();
}

// The live lease that holds `fence`; works in every job state, since the end of a job ends its leases.
absl::Status CheckLease(const JobRecord& job, const std::string& lease_id, const v1::Fence& fence) {
  const auto lease = job.leases.find(lease_id);
  if (lease == job.leases.end() || lease->second.fence.epoch() != fence.epoch() ||
      lease->second.fence.counter() != fence.counter()) {
    return Stale(job.job_id, lease_id, "is over: it expired, was revoked or has been finished");
  }
  return absl::OkStatus();
}

std::string ComparableBytes(v1::TaskResult result) {
  result.clear_metrics();
  return result.SerializeAsString();
}

// The result that lease `lease_id` has handed in, or nullptr.
const v1::TaskResult* FinishedResult(const JobRecord& job, const std::string& lease_id) {
  for (const TaskRecord& task : job.tasks) {
    if (task.state == TaskState::kDone && task.lease_id == lease_id) return task.result.get();
  }
  return nullptr;
}

absl::Status Validate(const CoordinatorState& state, const v1::TaskCompleted& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, change.job_id()));
  absl::Status live = CheckLease(*job, change.lease_id(), change.fence());
  if (live.ok()) return live;
  const v1::TaskResult* finished = FinishedResult(*job, change.lease_id());
  if (finished == nullptr) return live;
  if (ComparableBytes(*finished) == ComparableBytes(change.result())) return absl::OkStatus();
  return Stale(change.job_id(), change.lease_id(),
               "has been completed with another result; the first one stays");
}

absl::Status Validate(const CoordinatorState& state, const v1::TaskReturned& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, change.job_id()));
  HEROQ_RETURN_IF_ERROR(CheckLease(*job, change.lease_id(), change.fence()));
  if (change.cause() == v1::TaskReturned::CAUSE_UNSPECIFIED) {
    return Refuse(change.job_id(), absl::StrCat("lease ", change.lease_id(), " returned without a cause"));
  }
  return absl::OkStatus();
}

absl::Status Validate(const CoordinatorState& state, const v1::FileAssembled& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, FindRunning(state, change.job_id()));
  for (const v1::PlannedFile& file : job->plan->files()) {
    if (file.name() == change.name()) return absl::OkStatus();
  }
  return Refuse(change.job_id(), absl::StrCat("file ", change.name(), " is not in the plan"));
}

absl::Status Validate(const CoordinatorState& state, const v1::JobPhaseChanged& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, FindRunning(state, change.job_id()));
  if (change.phase() < job->phase || change.phase() >= Job::PHASE_PUBLISHED) {
    return Refuse(change.job_id(), absl::StrCat("phase ", Job::Phase_Name(change.phase()), " cannot follow ",
                                                Job::Phase_Name(job->phase)));
  }
  if (change.phase() == Job::PHASE_VALIDATING && change.staging_directory().empty()) {
    return Refuse(change.job_id(), "PHASE_VALIDATING needs the staged directory");
  }
  return absl::OkStatus();
}

absl::Status Validate(const CoordinatorState& state, const v1::TrialFinished& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, FindRunning(state, change.job_id()));
  if (!job->on_trial() || job->phase != Job::PHASE_VALIDATING || !job->AllDone(TaskKind::kQuantize) ||
      !job->AllDone(TaskKind::kEvaluate)) {
    return Refuse(change.job_id(), "has no trial whose evaluation is done");
  }
  return absl::OkStatus();
}

absl::Status Validate(const CoordinatorState& state, const v1::JobBlocked& change) {
  return FindRunning(state, change.job_id()).status();
}

absl::Status Validate(const CoordinatorState& state, const v1::JobCancelRequested& change) {
  return Find(state, change.job_id()).status();
}

absl::Status Validate(const CoordinatorState& state, const v1::JobEnded& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, change.job_id()));
  if (job->terminal())
    return Refuse(change.job_id(), absl::StrCat("has ended as ", Job::State_Name(job->state)));
  switch (change.state()) {
    case Job::STATE_FAILED:
      return absl::OkStatus();
    case Job::STATE_CANCELLED:
      if (job->state == Job::STATE_CANCELLING) return absl::OkStatus();
      return Refuse(change.job_id(), "cannot end as cancelled: nobody asked for it");
    case Job::STATE_SUCCEEDED:
      if (job->graph == nullptr) return Refuse(change.job_id(), "cannot succeed before it is planned");
      if (job->AllDone(TaskKind::kQuantize) && job->AllDone(TaskKind::kEvaluate)) return absl::OkStatus();
      return Refuse(change.job_id(), "cannot succeed: a task has no result");
    default:
      return Refuse(change.job_id(), absl::StrCat("cannot end as ", Job::State_Name(change.state())));
  }
}

absl::Status Validate(const CoordinatorState& state, const v1::JobDeleted& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, Find(state, change.job_id()));
  if (job->terminal()) return absl::OkStatus();
  return MakeError(Reason::kJobNotTerminal, absl::StrCat("job ", change.job_id(), " has not ended"),
                   {{"job_id", change.job_id()}});
}

absl::Status Validate(const CoordinatorState& state, const v1::BlobsLost& change) {
  HEROQ_ASSIGN_OR_RETURN(const JobRecord* job, FindRunning(state, change.job_id()));
  for (const std::string& id : change.task_ids()) {
    if (!job->graph->Find(id).has_value()) return Refuse(change.job_id(), absl::StrCat("has no task ", id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateUpdate(const CoordinatorState& state, const v1::Update& update) {
  switch (update.change_case()) {
    case v1::Update::kEpochStarted:
      return Validate(state, update.epoch_started());
    case v1::Update::kJobCreated:
      return Validate(state, update.job_created());
    case v1::Update::kJobPlanned:
      return Validate(state, update.job_planned());
    case v1::Update::kTaskLeased:
      return Validate(state, update.task_leased());
    case v1::Update::kTaskCompleted:
      return Validate(state, update.task_completed());
    case v1::Update::kTaskReturned:
      return Validate(state, update.task_returned());
    case v1::Update::kFileAssembled:
      return Validate(state, update.file_assembled());
    case v1::Update::kJobPhaseChanged:
      return Validate(state, update.job_phase_changed());
    case v1::Update::kJobCancelRequested:
      return Validate(state, update.job_cancel_requested());
    case v1::Update::kJobEnded:
      return Validate(state, update.job_ended());
    case v1::Update::kJobDeleted:
      return Validate(state, update.job_deleted());
    case v1::Update::kJobBlocked:
      return Validate(state, update.job_blocked());
    case v1::Update::kTrialFinished:
      return Validate(state, update.trial_finished());
    case v1::Update::kBlobsLost:
      return Validate(state, update.blobs_lost());
    case v1::Update::CHANGE_NOT_SET:
      break;
  }
  return MakeError(Reason::kInternal, "an update without a change (made by a newer version?)");
}

bool ChangesState(const CoordinatorState& state, const v1::Update& update) {
  if (update.has_task_completed()) {
    const v1::TaskCompleted& change = update.task_completed();
    return state.jobs.at(change.job_id())->leases.count(change.lease_id()) > 0;
  }
  if (update.has_job_cancel_requested()) {
    const JobRecord& job = *state.jobs.at(update.job_cancel_requested().job_id());
    return !job.terminal() && job.state != Job::STATE_CANCELLING;
  }
  return true;
}

}  // namespace heroq
