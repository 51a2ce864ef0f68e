#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/status/error_reason.h"
#include "coordinator/state/job_state.h"
#include "coordinator/state/proto_time.h"
#include "coordinator/state/unwritten_units.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

// The job to change: the one `state` holds when nobody else sees it, otherwise a copy that replaces it. A
// published snapshot shares every job, so a record with one owner was made since and has never been seen by a
// reader.
JobRecord& Mutable(CoordinatorState& state, const std::string& job_id) {
  std::shared_ptr<const JobRecord>& slot = state.jobs.at(job_id);
  if (slot.use_count() != 1) slot = std::make_shared<JobRecord>(*slot);
  return const_cast<JobRecord&>(*slot);
}

// Leases end without a result and without a charge.
void VoidLeases(JobRecord& job) {
  for (const auto& [lease_id, lease] : job.leases) {
    for (int task : lease.tasks) {
      job.tasks[task].state = TaskState::kPending;
      job.tasks[task].lease_id.clear();
    }
  }
  job.leases.clear();
}

void Apply(CoordinatorState& state, const v1::EpochStarted& change, absl::Time time) {
  state.epoch = change.epoch();
  state.last_fence_counter = 0;
  std::vector<std::string> begun;
  for (const auto& [job_id, job] : state.jobs) {
    if (!job->leases.empty() || job->blocked.ByteSizeLong() > 0) begun.push_back(job_id);
  }
  for (const std::string& job_id : begun) {
    JobRecord& job = Mutable(state, job_id);
    VoidLeases(job);
    job.blocked.Clear();
  }
}

void Apply(CoordinatorState& state, const v1::JobCreated& change, absl::Time time) {
  auto job = std::make_shared<JobRecord>();
  job->job_id = change.job_id();
  job->tenant = change.tenant();
  job->request_id = change.request_id();
  job->creation_sequence = state.sequence;
  job->spec = change.spec();
  job->create_time = time;
  state.jobs[change.job_id()] = std::move(job);
}

// What a finished trial has, for a plan that differs in its evaluation alone.
void TakeOver(const JobRecord& trial, JobRecord& job) {
  for (size_t task = 0; task < job.tasks.size(); ++task) {
    const TaskNode& node = job.graph->nodes()[task];
    if (node.kind == TaskKind::kEvaluate) continue;
    if (const std::optional<int> done = trial.graph->Find(node.id)) job.tasks[task] = trial.tasks[*done];
  }
  job.files = trial.files;
  job.staging_directory = trial.staging_directory;
}

void Apply(CoordinatorState& state, const v1::JobPlanned& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  auto graph = std::make_shared<const TaskGraph>(TaskGraph::Build(change.plan()));
  const bool calibrated = std::any_of(graph->nodes().begin(), graph->nodes().end(),
                                      [](const TaskNode& node) { return node.kind == TaskKind::kCapture; });
  job.state = Job::STATE_RUNNING;
  job.phase = calibrated ? Job::PHASE_CALIBRATING : Job::PHASE_QUANTIZING;
  if (job.trials.empty()) job.start_time = time;
  job.plan = std::make_shared<const v1::Plan>(change.plan());
  // The trials of a job run in one class.
  if (job.trials.empty()) {
    job.numeric_class = change.numeric_class().empty() ? job.spec.numeric_class() : change.numeric_class();
  }
  job.tasks.assign(graph->nodes().size(), TaskRecord());
  job.graph = std::move(graph);
  job.trial = change.trial();
  if (job.trial > 0 && !job.on_trial()) TakeOver(*job.trials[job.trial - 1].job, job);
}

void Apply(CoordinatorState& state, const v1::TrialFinished& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  auto finished = std::make_shared<JobRecord>(job);
  finished->trials.clear();
  job.trials.push_back({change.transform(), change.evaluation(), std::move(finished)});
  job.state = Job::STATE_QUEUED;
  job.phase = Job::PHASE_PLANNING;
  job.trial = 0;
  job.plan = nullptr;
  job.graph = nullptr;
  job.tasks.clear();
  job.files.clear();
  job.staging_directory.clear();
  job.blocked.Clear();
}

void Apply(CoordinatorState& state, const v1::TaskLeased& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  LeaseRecord lease;
  lease.lease_id = change.lease_id();
  lease.attempt = change.attempt();
  lease.fence = change.fence();
  lease.worker_id = change.worker_id();
  lease.lease_time = time;
  for (const std::string& id : change.task_ids()) {
    const int index = *job.graph->Find(id);
    TaskRecord& task = job.tasks[index];
    task.state = TaskState::kLeased;
    task.attempts += 1;
    task.lease_id = change.lease_id();
    lease.tasks.push_back(index);
    if (job.graph->nodes()[index].kind == TaskKind::kQuantize && job.phase < Job::PHASE_QUANTIZING) {
      job.phase = Job::PHASE_QUANTIZING;
    }
  }
  job.leases[change.lease_id()] = std::move(lease);
  job.numeric_class = change.numeric_class();
  state.last_fence_counter = change.fence().counter();
}

void Apply(CoordinatorState& state, const v1::TaskCompleted& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  const auto result = std::make_shared<const v1::TaskResult>(change.result());
  const auto lease = job.leases.find(change.lease_id());
  for (int task : lease->second.tasks) {
    job.tasks[task].state = TaskState::kDone;
    job.tasks[task].result = result;
    job.tasks[task].worker_id = lease->second.worker_id;
  }
  job.leases.erase(lease);
  if (!job.blocked.task_id().empty()) job.blocked.Clear();
}

void Apply(CoordinatorState& state, const v1::TaskReturned& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  const auto lease = job.leases.find(change.lease_id());
  for (int index : lease->second.tasks) {
    TaskRecord& task = job.tasks[index];
    task.state = TaskState::kPending;
    task.lease_id.clear();
    if (change.has_not_before()) task.not_before = FromProto(change.not_before());
    if (change.cause() == v1::TaskReturned::CAUSE_LOST) {
      task.losses += 1;
    } else if (change.cause() == v1::TaskReturned::CAUSE_FAILED) {
      switch (change.failure_kind()) {
        case v1::FAILURE_KIND_INPUT_LOST:
        case v1::FAILURE_KIND_STORAGE:
          break;
        case v1::FAILURE_KIND_OUT_OF_MEMORY:
          task.out_of_memory += 1;
          break;
        default:
          task.failures += 1;
      }
    }
  }
  if (change.cause() == v1::TaskReturned::CAUSE_FAILED && change.failure_kind() == v1::FAILURE_KIND_STORAGE) {
    job.blocked.set_reason(std::string(InfoOf(Reason::kIo).name));
    job.blocked.set_task_id(job.graph->nodes()[lease->second.tasks.front()].id);
    job.blocked.set_message(change.message());
  }
  job.leases.erase(lease);
}

void Apply(CoordinatorState& state, const v1::FileAssembled& change, absl::Time time) {
  Mutable(state, change.job_id()).files[change.name()] = change;
}

void Apply(CoordinatorState& state, const v1::JobPhaseChanged& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  job.phase = change.phase();
  if (!change.staging_directory().empty()) job.staging_directory = change.staging_directory();
}

void Apply(CoordinatorState& state, const v1::JobBlocked& change, absl::Time time) {
  Mutable(state, change.job_id()).blocked = change.reason();
}

void Apply(CoordinatorState& state, const v1::JobCancelRequested& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  job.state = Job::STATE_CANCELLING;
  job.blocked.Clear();
  VoidLeases(job);
}

void Apply(CoordinatorState& state, const v1::JobEnded& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  VoidLeases(job);
  job.state = change.state();
  if (change.state() == Job::STATE_SUCCEEDED) job.phase = Job::PHASE_PUBLISHED;
  job.blocked.Clear();
  job.end_time = time;
  job.failure = change.failure();
  job.result = change.result();
}

void Apply(CoordinatorState& state, const v1::JobDeleted& change, absl::Time time) {
  state.jobs.erase(change.job_id());
}

void Apply(CoordinatorState& state, const v1::BlobsLost& change, absl::Time time) {
  JobRecord& job = Mutable(state, change.job_id());
  std::set<int, std::greater<int>> lost;
  for (const std::string& id : change.task_ids()) lost.insert(*job.graph->Find(id));
  const std::set<int> unwritten = UnwrittenUnits(job);
  // From the end of the topological order: whether a task's readers run again is known before the task's
  // turn.
  for (int index : lost) {
    const TaskNode& node = job.graph->nodes()[index];
    TaskRecord& task = job.tasks[index];
    const std::vector<int>& readers = job.graph->dependents(index);
    const bool needed = (node.kind == TaskKind::kQuantize && unwritten.count(node.unit) > 0) ||
                        std::any_of(readers.begin(), readers.end(),
                                    [&](int reader) { return job.tasks[reader].state != TaskState::kDone; });
    if (task.state != TaskState::kDone || !needed) continue;
    task.state = TaskState::kPending;
    task.result = nullptr;
    task.lease_id.clear();
    task.worker_id.clear();
  }
}

}  // namespace

void ApplyUpdate(CoordinatorState& state, const v1::Update& update) {
  if (!ChangesState(state, update)) return;
  state.sequence += 1;
  const absl::Time time = FromProto(update.time());
  switch (update.change_case()) {
    case v1::Update::kEpochStarted:
      return Apply(state, update.epoch_started(), time);
    case v1::Update::kJobCreated:
      return Apply(state, update.job_created(), time);
    case v1::Update::kJobPlanned:
      return Apply(state, update.job_planned(), time);
    case v1::Update::kTaskLeased:
      return Apply(state, update.task_leased(), time);
    case v1::Update::kTaskCompleted:
      return Apply(state, update.task_completed(), time);
    case v1::Update::kTaskReturned:
      return Apply(state, update.task_returned(), time);
    case v1::Update::kFileAssembled:
      return Apply(state, update.file_assembled(), time);
    case v1::Update::kJobPhaseChanged:
      return Apply(state, update.job_phase_changed(), time);
    case v1::Update::kJobCancelRequested:
      return Apply(state, update.job_cancel_requested(), time);
    case v1::Update::kJobEnded:
      return Apply(state, update.job_ended(), time);
    case v1::Update::kJobDeleted:
      return Apply(state, update.job_deleted(), time);
    case v1::Update::kJobBlocked:
      return Apply(state, update.job_blocked(), time);
    case v1::Update::kTrialFinished:
      return Apply(state, update.trial_finished(), time);
    case v1::Update::kBlobsLost:
      return Apply(state, update.blobs_lost(), time);
    case v1::Update::CHANGE_NOT_SET:
      return;
  }
}

}  // namespace heroq
