#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/state/job_state.h"
#include "tests/support/state_dump.h"
#include "tests/support/test_plan.h"

namespace heroq {

// A state that changes by valid updates only, as in the store but without journal and threads.
struct StateFixture {
  StateFixture() {
    v1::Update started;
    started.mutable_epoch_started()->set_epoch(1);
    Apply(started).IgnoreError();
  }

  absl::Status Apply(const v1::Update& update) {
    absl::Status valid = ValidateUpdate(state, update);
    if (valid.ok()) ApplyUpdate(state, update);
    return valid;
  }
  // A planned job.
  void AddJob(const std::string& job_id, const v1::Plan& plan = TestPlan()) {
    Apply(CreateUpdate(job_id)).IgnoreError();
    Apply(PlanUpdate(job_id, plan)).IgnoreError();
  }
  v1::TaskLeased Lease(const std::string& job_id, const std::vector<std::string>& tasks) {
    const v1::Update update = LeaseUpdate(state, job_id, tasks);
    Apply(update).IgnoreError();
    return update.task_leased();
  }
  // Each task on a lease of its own.
  void Finish(const std::string& job_id, const std::vector<std::string>& tasks,
              const v1::TaskResult& result = {}) {
    for (const std::string& task : tasks) Apply(CompleteUpdate(Lease(job_id, {task}), result)).IgnoreError();
  }
  const JobRecord& Job(const std::string& job_id) const { return *state.jobs.at(job_id); }
  const TaskRecord& Task(const std::string& job_id, const std::string& task) const {
    return Job(job_id).tasks[Job(job_id).graph->Find(task).value()];
  }
  std::vector<std::string> Pending(const std::string& job_id) const {
    std::vector<std::string> ids;
    for (size_t task = 0; task < Job(job_id).tasks.size(); ++task) {
      if (Job(job_id).tasks[task].state == TaskState::kPending)
        ids.push_back(Job(job_id).graph->nodes()[task].id);
    }
    return ids;
  }

  CoordinatorState state;
};

}  // namespace heroq
