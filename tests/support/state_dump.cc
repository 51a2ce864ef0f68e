#include "tests/support/state_dump.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

std::string DumpTask(const JobRecord& job, int index) {
  const TaskRecord& task = job.tasks[index];
  return absl::StrCat("  ", job.graph->nodes()[index].id, " state=", static_cast<int>(task.state),
                      " attempts=", task.attempts, " losses=", task.losses, " failures=", task.failures,
                      " oom=", task.out_of_memory, " not_before=", absl::FormatTime(task.not_before),
                      " lease=", task.lease_id, " worker=", task.worker_id,
                      " result=", task.result ? task.result->ShortDebugString() : "none", "\n");
}

std::string DumpLease(const LeaseRecord& lease) {
  std::string dump =
      absl::StrCat("  lease ", lease.lease_id, " attempt=", lease.attempt, " fence=", lease.fence.epoch(),
                   ".", lease.fence.counter(), " worker=", lease.worker_id,
                   " time=", absl::FormatTime(lease.lease_time), " tasks=");
  for (int task : lease.tasks) absl::StrAppend(&dump, task, ",");
  return dump + "\n";
}

}  // namespace

std::string DumpJob(const JobRecord& job) {
  std::string dump = absl::StrCat(
      "job ", job.job_id, " tenant=", job.tenant, " request=", job.request_id,
      " sequence=", job.creation_sequence, " state=", job.state, " phase=", job.phase,
      " class=", job.numeric_class, " trial=", job.trial, " staging=", job.staging_directory,
      " times=", absl::FormatTime(job.create_time), absl::FormatTime(job.start_time),
      absl::FormatTime(job.end_time), "\n  spec ", job.spec.ShortDebugString(), "\n  plan ",
      job.plan ? job.plan->ShortDebugString() : "none", "\n  failure ", job.failure.ShortDebugString(),
      "\n  blocked ", job.blocked.ShortDebugString(), "\n  result ", job.result.ShortDebugString(), "\n");
  for (size_t task = 0; task < job.tasks.size(); ++task) dump += DumpTask(job, static_cast<int>(task));
  for (const TrialRecord& trial : job.trials) {
    absl::StrAppend(&dump, "  tried ", v1::Transform_Name(trial.transform), " ",
                    trial.evaluation.ShortDebugString(), "\n", DumpJob(*trial.job));
  }
  for (const auto& [lease_id, lease] : job.leases) dump += DumpLease(lease);
  for (const auto& [name, file] : job.files) absl::StrAppend(&dump, "  file ", file.ShortDebugString(), "\n");
  return dump;
}

std::string DumpState(const CoordinatorState& state) {
  std::string dump = absl::StrCat("epoch=", state.epoch, " counter=", state.last_fence_counter,
                                  " sequence=", state.sequence, "\n");
  for (const auto& [job_id, job] : state.jobs) dump += DumpJob(*job);
  return dump;
}

std::string BrokenInvariants(const CoordinatorState& state) {
  std::string broken;
  std::set<int64_t> counters;
  for (const auto& [job_id, job] : state.jobs) {
    std::set<int> leased;
    for (const auto& [lease_id, lease] : job->leases) {
      if (job->state != v1::QuantizationJob::STATE_RUNNING)
        absl::StrAppend(&broken, "lease in ended ", job_id, "\n");
      if (lease.fence.epoch() != state.epoch || !counters.insert(lease.fence.counter()).second) {
        absl::StrAppend(&broken, "fence of lease ", lease_id, "\n");
      }
      for (int task : lease.tasks) {
        const TaskRecord& record = job->tasks[task];
        if (!leased.insert(task).second || record.state != TaskState::kLeased ||
            record.lease_id != lease_id) {
          absl::StrAppend(&broken, "task ", job->graph->nodes()[task].id, " of lease ", lease_id, "\n");
        }
      }
    }
    for (size_t task = 0; task < job->tasks.size(); ++task) {
      const TaskRecord& record = job->tasks[task];
      const bool held = leased.count(static_cast<int>(task)) > 0;
      if ((record.state == TaskState::kLeased) != held ||
          (record.state == TaskState::kDone) != (record.result != nullptr)) {
        absl::StrAppend(&broken, "state of task ", job->graph->nodes()[task].id, "\n");
      }
    }
  }
  return broken;
}

}  // namespace heroq
