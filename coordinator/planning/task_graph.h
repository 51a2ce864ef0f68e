#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "heroq/v1/plan.pb.h"

namespace heroq {

enum class TaskKind { kCapture, kQuantize, kAdvance, kEvaluate };
absl::string_view ToString(TaskKind kind);

// Evaluation is cut into this many ranges of sequences, whatever the number of workers: min(sequences, 8).
// Range i of n holds sequences [i * sequences / n, (i + 1) * sequences / n). 0 without evaluation tokens.
int EvaluationRangeCount(const v1::Plan& plan);

// The tasks a job may have; graphs and states of that size still fit in memory and start within seconds.
constexpr int64_t kMaxTasks = 1'000'000;
// At least the number of tasks of a plan of `blocks` blocks (one more than the highest with a unit),
// evaluation aside: captures, and advances under quantized propagation, of every shard, and its units. Pure.
int64_t TaskCountBound(const v1::Plan& plan, int64_t blocks);

// One schedulable piece of a job. `id` is "capture/<block>/<shard>", "quantize/<block>/<unit>",
// "rewrite/<unit>" (a unit outside the blocks), "advance/<block>/<shard>" or "evaluate/<index>".
struct TaskNode {
  std::string id;
  TaskKind kind = TaskKind::kCapture;
  int block = 0;  // -1: a unit outside the blocks
  int shard = 0;  // capture and advance: calibration shard; evaluate: index of the sequence range
  int unit = 0;   // quantize: index into Plan.units
  std::vector<int> dependencies;  // indices of tasks whose results it needs
};

// The tasks of a job, a pure function of its plan (architecture: task graph of a job), in topological order.
// Blocks after the last one with a unit have no tasks; units outside the blocks depend on nothing.
// Full-precision propagation: capture(b, s) needs capture(b - 1, s). Quantized: capture(b, s) and advance(b,
// s) need advance(b - 1, s), and advance(b, s) every quantize(b, *); a block without units has no captures,
// and the last one no advances. Evaluate tasks depend on nothing here: they are gated by the job's phase,
// since they read the staged directory. Without calibration tokens there are only quantize (and evaluate)
// tasks; without units only evaluate tasks (a job that evaluates an existing checkpoint). Immutable,
// thread-safe.
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
