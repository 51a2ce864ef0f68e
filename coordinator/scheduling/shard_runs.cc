#include "coordinator/scheduling/shard_runs.h"

#include <algorithm>

#include "coordinator/scheduling/capture_ahead.h"

namespace heroq {
namespace {

// The lowest block with a capture that is not done; the block count when all are.
int UncapturedBlock(const JobRecord& job) {
  int lowest = job.plan->block_count();
  for (size_t task = 0; task < job.tasks.size(); ++task) {
    const TaskNode& node = job.graph->nodes()[task];
    const bool waits = node.kind == TaskKind::kCapture && job.tasks[task].state != TaskState::kDone;
    if (waits) lowest = std::min(lowest, node.block);
  }
  return lowest;
}

// Blocks that may wait for quantization while captures come first.
constexpr int kBacklog = 2;

// Runs the first block is cut into, at least: another worker may connect just after the first one has. Each
// of them reads the block's weights.
constexpr int kFirstRuns = 2;

int CeilDivide(int a, int b) { return (a + b - 1) / b; }

}  // namespace

ShardRuns::ShardRuns(const JobRecord& job, const std::vector<int>& due, const std::set<int>& leasing,
                     int64_t capture_ahead_bytes)
    : job_(job),
      capture_ahead_bytes_(capture_ahead_bytes),
      open_block_(OpenBlock(job)),
      uncaptured_block_(UncapturedBlock(job)),
      captured_bytes_(CapturedBytes(job, leasing)) {
  for (int task : due) {
    const TaskNode& node = job.graph->nodes()[task];
    if (node.kind != TaskKind::kCapture && node.kind != TaskKind::kAdvance) continue;
    blocks_[{node.kind == TaskKind::kCapture, node.block}][node.shard] = task;
  }
}

bool ShardRuns::CapturesAreAwaited() const {
  if (blocks_.empty()) return false;
  const auto [is_capture, block] = blocks_.begin()->first;
  return is_capture && block == uncaptured_block_ && block - open_block_ <= kBacklog;
}

std::vector<int> ShardRuns::Take(const WorkerSlots& worker, const std::vector<WorkerSlots*>& workers) {
  if (blocks_.empty()) return {};
  return TakeFrom(FirstShard(blocks_.begin()->second, worker, workers), workers);
}

std::vector<int> ShardRuns::TakeOwn(const WorkerSlots& worker, const std::vector<WorkerSlots*>& workers) {
  if (blocks_.empty()) return {};
  const Shards& shards = blocks_.begin()->second;
  const int first = FirstShard(shards, worker, workers);
  const int task = shards.at(first);
  if (ProducerOf(task) != worker.worker_id || Charged(task)) return {};
  return TakeFrom(first, workers);
}

std::vector<int> ShardRuns::TakeFrom(int first, const std::vector<WorkerSlots*>& workers) {
  const auto block = blocks_.begin();
  const auto [is_capture, number] = block->first;
  Shards& shards = block->second;
  const int length = RunLength(number, workers);
  auto next = shards.find(first);
  std::vector<int> run = {next->second};
  for (int shard = next->first + 1; static_cast<int>(run.size()) < length && !Charged(run.back()); ++shard) {
    next = shards.find(shard);
    if (next == shards.end() || Charged(next->second)) break;
    run.push_back(next->second);
  }
  if (is_capture) {
    const int64_t bytes = ExpectedBytes(job_, run);
    if (number > open_block_ && captured_bytes_ + bytes > capture_ahead_bytes_) return {};
    captured_bytes_ += bytes;
  }
  for (int task : run) shards.erase(job_.graph->nodes()[task].shard);
  if (shards.empty()) blocks_.erase(block);
  return run;
}

int ShardRuns::RunLength(int block, const std::vector<WorkerSlots*>& workers) const {
  int ready = 0, free = 0, slots = 0;
  for (const auto& [place, tasks] : blocks_) ready += static_cast<int>(tasks.size());
  for (const WorkerSlots* worker : workers) {
    free += worker->free;
    slots += worker->slots;
  }
  const int shards = job_.plan->calibration().shards();
  int longest = CeilDivide(shards, slots);
  if (block == 0) longest = std::min(longest, std::max(2, CeilDivide(shards, kFirstRuns)));
  return std::max(1, std::min(CeilDivide(ready, free), longest));
}

int ShardRuns::FirstShard(const Shards& shards, const WorkerSlots& worker,
                          const std::vector<WorkerSlots*>& workers) const {
  for (const auto& [shard, task] : shards) {
    if (ProducerOf(task) == worker.worker_id) return shard;
  }
  for (const auto& [shard, task] : shards) {
    const std::string producer = ProducerOf(task);
    const bool wanted = std::any_of(workers.begin(), workers.end(), [&](const WorkerSlots* other) {
      return other->free > 0 && other->worker_id == producer;
    });
    if (!wanted) return shard;
  }
  return shards.begin()->first;
}

std::string ShardRuns::ProducerOf(int task) const {
  for (int dependency : job_.graph->nodes()[task].dependencies) {
    if (job_.graph->nodes()[dependency].kind != TaskKind::kQuantize) return job_.tasks[dependency].worker_id;
  }
  return "";
}

}  // namespace heroq
