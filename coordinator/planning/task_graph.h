#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

enum class TaskKind { kCapture, kQuantize, kAdvance, kEvaluate };
absl::string_view ToString(TaskKind kind);

// One schedulable piece of a job. `id` is "capture/<block>/<shard>", "quantize/<block>/<unit>", "advance/<block>/<shard>"
// or "evaluate/<index>".
struct TaskNode {
  std::string id;
  TaskKind kind = TaskKind::kCapture;
  int block = 0;
  int shard = 0;       // capture and advance: calibration shard; evaluate: index of the sequence range
  int unit = 0;        // quantize: index into Plan.units
  std::vector<int> dependencies;  // indices of tasks whose results it needs
};

// The tasks of a job, a pure function of its plan (architecture: task graph of a job). Evaluate tasks depend on nothing
// here: they are gated by the job's phase, since they read the staged directory. Without calibration there are only
// quantize (and evaluate) tasks. Immutable, thread-safe.
class TaskGraph {
 public:
  static TaskGraph Build(const v1::Plan& plan);

  const std::vector<TaskNode>& nodes() const { return nodes_; }
  std::optional<int> Find(absl::string_view id) const;
  // Tasks that depend on task `index`.
  const std::vector<int>& dependents(int index) const { return dependents_[index]; }

 private:
  std::vector<TaskNode> nodes_;
  std::vector<std::vector<int>> dependents_;
  std::unordered_map<std::string, int> by_id_;
};

}  // namespace heroq
