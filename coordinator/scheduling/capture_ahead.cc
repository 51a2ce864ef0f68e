#include "coordinator/scheduling/capture_ahead.h"

#include <map>
#include <string>

#include "common/model/shard_tree.h"

namespace heroq {
namespace {

constexpr int64_t kFloat32Bytes = 4;
constexpr int64_t kBf16Bytes = 2;

// One node of every distinct input of a block: float32 upper triangles.
int64_t NodeBytes(const v1::Plan& plan, int block) {
  std::map<std::string, int64_t> widths;
  for (const v1::PlannedUnit& unit : plan.units()) {
    if (unit.block() != block) continue;
    for (const v1::PlannedLinear& linear : unit.linears()) widths[linear.input()] = linear.in_features();
  }
  int64_t bytes = 0;
  for (const auto& [input, width] : widths) bytes += width * (width + 1) / 2 * kFloat32Bytes;
  return bytes;
}

int64_t HiddenBytes(const v1::Plan& plan, int shard) {
  const v1::CalibrationSpec& calibration = plan.calibration();
  const int64_t value = plan.compute_type() == "f32" ? kFloat32Bytes : kBf16Bytes;
  return SequencesOfShard(shard, calibration.shards(), calibration.samples()).size() *
         calibration.sequence_length() * plan.hidden_size() * value;
}

// A dependent of this kind that is not done.
bool HasWaitingReader(const JobRecord& job, int task, bool quantize) {
  for (int reader : job.graph->dependents(task)) {
    const bool quantizes = job.graph->nodes()[reader].kind == TaskKind::kQuantize;
    if (quantizes == quantize && job.tasks[reader].state != TaskState::kDone) return true;
  }
  return false;
}

}  // namespace

int OpenBlock(const JobRecord& job) {
  for (size_t task = 0; task < job.tasks.size(); ++task) {
    const TaskNode& node = job.graph->nodes()[task];
    const bool in_block = node.kind == TaskKind::kQuantize && node.block >= 0;
    if (in_block && job.tasks[task].state != TaskState::kDone) return node.block;
  }
  return job.plan->block_count();
}

int64_t ExpectedBytes(const JobRecord& job, const std::vector<int>& captures) {
  const TaskNode& first = job.graph->nodes()[captures.front()];
  const int64_t begin = first.shard;
  const auto nodes =
      CanonicalNodes(begin, begin + static_cast<int64_t>(captures.size()), job.plan->calibration().shards());
  int64_t bytes = static_cast<int64_t>(nodes.size()) * NodeBytes(*job.plan, first.block);
  for (int task : captures) bytes += HiddenBytes(*job.plan, job.graph->nodes()[task].shard);
  return bytes;
}

int64_t CapturedBytes(const JobRecord& job, const std::set<int>& leasing) {
  int64_t bytes = 0;
  for (const auto& [lease_id, lease] : job.leases) {
    if (job.graph->nodes()[lease.tasks.front()].kind == TaskKind::kCapture)
      bytes += ExpectedBytes(job, lease.tasks);
  }
  for (int task : leasing) {
    if (job.graph->nodes()[task].kind == TaskKind::kCapture) bytes += ExpectedBytes(job, {task});
  }
  std::set<const v1::TaskResult*> counted;
  for (int task = 0; task < static_cast<int>(job.tasks.size()); ++task) {
    const TaskNode& node = job.graph->nodes()[task];
    const TaskRecord& record = job.tasks[task];
    if (record.state != TaskState::kDone) continue;
    if (node.kind != TaskKind::kCapture && node.kind != TaskKind::kAdvance) continue;
    if (HasWaitingReader(job, task, /*quantize=*/false)) bytes += HiddenBytes(*job.plan, node.shard);
    if (HasWaitingReader(job, task, /*quantize=*/true) && counted.insert(record.result.get()).second) {
      for (const v1::StatisticsNode& statistics : record.result->statistics())
        bytes += statistics.blob().size_bytes();
    }
  }
  return bytes;
}

}  // namespace heroq
