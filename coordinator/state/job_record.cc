#include "coordinator/state/job_record.h"

namespace heroq {

bool JobRecord::Ready(int task) const {
  if (state != v1::QuantizationJob::STATE_RUNNING || graph == nullptr) return false;
  if (tasks[task].state != TaskState::kPending) return false;
  const TaskNode& node = graph->nodes()[task];
  if (node.kind == TaskKind::kEvaluate && phase != v1::QuantizationJob::PHASE_VALIDATING) return false;
  for (int dependency : node.dependencies) {
    if (tasks[dependency].state != TaskState::kDone) return false;
  }
  return true;
}

bool JobRecord::AllDone(TaskKind kind) const {
  for (size_t task = 0; task < tasks.size(); ++task) {
    if (graph->nodes()[task].kind == kind && tasks[task].state != TaskState::kDone) return false;
  }
  return true;
}

std::shared_ptr<const JobRecord> CoordinatorState::FindJob(const std::string& job_id) const {
  const auto found = jobs.find(job_id);
  return found == jobs.end() ? nullptr : found->second;
}

}  // namespace heroq
