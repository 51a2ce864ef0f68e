#include "coordinator/scheduling/lease_builder.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/planning/activation_regime.h"
#include "coordinator/state/statistics_cover.h"

namespace heroq {
namespace {

absl::Status Missing(const JobRecord& job, int task, const std::string& output) {
  return MakeError(Reason::kInternal, absl::StrCat("job ", job.job_id, ": the result of task ",
                                                   job.graph->nodes()[task].id, " lacks ", output));
}

absl::StatusOr<v1::BlobDigest> OutputOf(const JobRecord& job, int task, const std::string& name) {
  if (const auto& result = job.tasks[task].result; result != nullptr) {
    for (const v1::NamedBlob& output : result->outputs()) {
      if (output.name() == name) return output.digest();
    }
  }
  return Missing(job, task, name);
}

bool MakesHiddenStates(const TaskNode& node) {
  return node.kind == TaskKind::kCapture || node.kind == TaskKind::kAdvance;
}

// The fields capture and advance share: shards and the hidden states they start from.
template <typename ShardTask>
absl::Status FillShards(const JobRecord& job, const std::vector<int>& tasks, ShardTask& shard_task) {
  const std::vector<TaskNode>& nodes = job.graph->nodes();
  shard_task.set_block(nodes[tasks.front()].block);
  shard_task.set_shard_begin(nodes[tasks.front()].shard);
  shard_task.set_shard_end(nodes[tasks.back()].shard + 1);
  if (shard_task.block() == 0) *shard_task.mutable_tokens() = job.plan->calibration_tokens();
  for (int task : tasks) {
    for (int dependency : nodes[task].dependencies) {
      if (!MakesHiddenStates(nodes[dependency])) continue;
      HEROQ_ASSIGN_OR_RETURN(v1::BlobDigest blob,
                             OutputOf(job, dependency, absl::StrCat("hidden/", nodes[task].shard)));
      v1::HiddenStates& hidden = *shard_task.add_hidden_states();
      hidden.set_shard(nodes[task].shard);
      *hidden.mutable_blob() = std::move(blob);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CaptureTask> BuildCapture(const JobRecord& job, const std::vector<int>& tasks) {
  v1::CaptureTask capture;
  HEROQ_RETURN_IF_ERROR(FillShards(job, tasks, capture));
  capture.set_emit_hidden_states(EmitsHiddenStates(job, tasks.front()));
  capture.set_kept_tokens(KeptTokensOfShard(*job.plan, capture.block()));
  return capture;
}

absl::StatusOr<v1::AdvanceTask> BuildAdvance(const JobRecord& job, const std::vector<int>& tasks) {
  v1::AdvanceTask advance;
  HEROQ_RETURN_IF_ERROR(FillShards(job, tasks, advance));
  for (int dependency : job.graph->nodes()[tasks.front()].dependencies) {
    if (job.graph->nodes()[dependency].kind != TaskKind::kQuantize) continue;
    HEROQ_ASSIGN_OR_RETURN(*advance.add_units(), OutputOf(job, dependency, "unit"));
  }
  return advance;
}

absl::StatusOr<v1::QuantizeTask> BuildQuantize(const JobRecord& job, int task) {
  const TaskNode& node = job.graph->nodes()[task];
  const v1::PlannedUnit& unit = job.plan->units(node.unit);
  v1::QuantizeTask quantize;
  quantize.set_block(unit.block());
  quantize.set_unit(unit.unit());
  *quantize.mutable_tensors() = unit.tensors();
  std::set<std::string> inputs;
  for (const v1::PlannedLinear& planned : unit.linears()) {
    v1::LinearTask& linear = *quantize.add_linears();
    linear.set_name(planned.name());
    linear.set_input(planned.input());
    *linear.mutable_scheme() = planned.scheme();
    inputs.insert(planned.input());
  }
  if (node.dependencies.empty()) return quantize;
  for (const std::string& input : inputs) {
    const std::vector<v1::StatisticsNode> cover = StatisticsCover(job, node.dependencies, input);
    int covered = 0;
    for (const v1::StatisticsNode& statistics : cover) {
      if (statistics.shard_begin() != covered) break;
      covered = statistics.shard_end();
      *quantize.add_statistics() = statistics;
    }
    if (covered != job.plan->calibration().shards()) {
      return Missing(job, node.dependencies[covered], absl::StrCat("statistics of ", input));
    }
  }
  return quantize;
}

v1::EvaluateTask BuildEvaluate(const JobRecord& job, int task) {
  const int64_t ranges = EvaluationRangeCount(*job.plan);
  const int64_t sequences = job.plan->evaluation().sequences();
  const int64_t index = job.graph->nodes()[task].shard;
  v1::EvaluateTask evaluate;
  *evaluate.mutable_tokens() = job.plan->evaluation_tokens();
  evaluate.set_sequence_begin(static_cast<int32_t>(index * sequences / ranges));
  evaluate.set_sequence_end(static_cast<int32_t>((index + 1) * sequences / ranges));
  evaluate.set_checkpoint_directory(job.staging_directory);
  return evaluate;
}

}  // namespace

bool EmitsHiddenStates(const JobRecord& job, int task) {
  const std::vector<int>& readers = job.graph->dependents(task);
  return std::any_of(readers.begin(), readers.end(),
                     [&](int reader) { return MakesHiddenStates(job.graph->nodes()[reader]); });
}

std::string LeasedTaskId(const JobRecord& job, const std::vector<int>& tasks) {
  const TaskNode& first = job.graph->nodes()[tasks.front()];
  if (tasks.size() == 1) return first.id;
  return absl::StrCat(ToString(first.kind), "/", first.block, "/", first.shard, "-",
                      job.graph->nodes()[tasks.back()].shard + 1);
}

absl::StatusOr<v1::Task> BuildTask(const JobRecord& job, const std::vector<int>& tasks) {
  v1::Task task;
  task.set_id(LeasedTaskId(job, tasks));
  switch (job.graph->nodes()[tasks.front()].kind) {
    case TaskKind::kCapture: {
      HEROQ_ASSIGN_OR_RETURN(*task.mutable_capture(), BuildCapture(job, tasks));
      break;
    }
    case TaskKind::kQuantize: {
      HEROQ_ASSIGN_OR_RETURN(*task.mutable_quantize(), BuildQuantize(job, tasks.front()));
      break;
    }
    case TaskKind::kAdvance: {
      HEROQ_ASSIGN_OR_RETURN(*task.mutable_advance(), BuildAdvance(job, tasks));
      break;
    }
    case TaskKind::kEvaluate:
      *task.mutable_evaluate() = BuildEvaluate(job, tasks.front());
      break;
  }
  return task;
}

v1::JobContext BuildContext(const JobRecord& job) {
  const v1::Plan& plan = *job.plan;
  v1::JobContext context;
  context.set_job_id(job.job_id);
  context.set_model_directory(plan.model_directory());
  context.set_compute_type(plan.compute_type());
  context.set_threads(plan.calibration().threads_per_task());
  context.set_micro_batch(plan.calibration().micro_batch());
  context.set_sequence_length(plan.calibration().sequence_length());
  context.set_sequence_count(plan.calibration().samples());
  context.set_shards(plan.calibration().shards());
  context.set_seed(plan.calibration().seed());
  *context.mutable_method() = plan.method();
  context.set_strict(job.spec.strict());
  return context;
}

}  // namespace heroq
