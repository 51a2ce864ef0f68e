#include "coordinator/coordinator_metrics.h"

#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace heroq {
namespace {

using Job = v1::QuantizationJob;

constexpr TaskKind kKinds[] = {TaskKind::kCapture, TaskKind::kQuantize, TaskKind::kAdvance,
                               TaskKind::kEvaluate};
constexpr TaskState kStates[] = {TaskState::kPending, TaskState::kLeased, TaskState::kDone};

const char* NameOf(TaskState state) {
  switch (state) {
    case TaskState::kPending:
      return "pending";
    case TaskState::kLeased:
      return "leased";
    case TaskState::kDone:
      return "done";
  }
  return "unknown";
}

}  // namespace

CoordinatorMetrics::CoordinatorMetrics(MetricRegistry& registry, const std::string& version)
    : registry_(registry) {
  registry_.GetGauge("heroq_build_info", "1, with the version of this build", {{"version", version}}).Set(1);
}

void CoordinatorMetrics::Update(const CoordinatorState& state, int workers) {
  std::map<Job::State, int> jobs;
  std::map<std::pair<TaskKind, TaskState>, int> tasks;
  for (const auto& [job_id, job] : state.jobs) {
    ++jobs[job->state];
    if (job->terminal() || job->graph == nullptr) continue;
    for (std::size_t i = 0; i < job->tasks.size(); ++i)
      ++tasks[{job->graph->nodes()[i].kind, job->tasks[i].state}];
  }
  // All of them each time: one that has become empty must read 0.
  for (int value = Job::STATE_QUEUED; value <= Job::State_MAX; ++value) {
    const auto job_state = static_cast<Job::State>(value);
    registry_
        .GetGauge("heroq_jobs", "Jobs by state",
                  {{"state", absl::AsciiStrToLower(absl::StripPrefix(Job::State_Name(job_state), "STATE_"))}})
        .Set(jobs[job_state]);
  }
  for (TaskKind kind : kKinds) {
    for (TaskState task_state : kStates) {
      registry_
          .GetGauge("heroq_tasks", "Tasks of jobs that have not ended",
                    {{"kind", std::string(ToString(kind))}, {"state", NameOf(task_state)}})
          .Set(tasks[{kind, task_state}]);
    }
  }
  registry_.GetGauge("heroq_workers", "Connected workers", {}).Set(workers);
}

}  // namespace heroq
