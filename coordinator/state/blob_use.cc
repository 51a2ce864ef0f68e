#include "coordinator/state/blob_use.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/state/statistics_cover.h"
#include "coordinator/state/unwritten_units.h"

namespace heroq {
namespace {

// A blob a task reads, and the tasks whose result names it.
struct TaskInput {
  v1::BlobDigest blob;
  std::vector<int> producers;
};

const v1::BlobDigest* OutputOf(const JobRecord& job, int task, const std::string& name) {
  const v1::TaskResult* result = job.tasks[task].result.get();
  if (result == nullptr) return nullptr;
  for (const v1::NamedBlob& output : result->outputs()) {
    if (output.name() == name) return &output.digest();
  }
  return nullptr;
}

void AddStatistics(const JobRecord& job, const TaskNode& node, std::vector<TaskInput>& inputs) {
  std::set<std::string> names;
  for (const v1::PlannedLinear& linear : job.plan->units(node.unit).linears()) names.insert(linear.input());
  for (const std::string& name : names) {
    for (const v1::StatisticsNode& statistics : StatisticsCover(job, node.dependencies, name)) {
      TaskInput input{statistics.blob(), {}};
      for (int capture : node.dependencies) {
        const int shard = job.graph->nodes()[capture].shard;
        if (statistics.shard_begin() <= shard && shard < statistics.shard_end())
          input.producers.push_back(capture);
      }
      inputs.push_back(std::move(input));
    }
  }
}

// What is there of the inputs of `task`.
std::vector<TaskInput> InputsOf(const JobRecord& job, int task) {
  const TaskNode& node = job.graph->nodes()[task];
  std::vector<TaskInput> inputs;
  if (node.kind == TaskKind::kQuantize) {
    AddStatistics(job, node, inputs);
    return inputs;
  }
  for (int dependency : node.dependencies) {
    const bool unit = job.graph->nodes()[dependency].kind == TaskKind::kQuantize;
    const v1::BlobDigest* blob =
        OutputOf(job, dependency, unit ? "unit" : absl::StrCat("hidden/", node.shard));
    if (blob != nullptr) inputs.push_back({*blob, {dependency}});
  }
  return inputs;
}

// The unit blob of a finished quantize task that some file still waits for.
const v1::BlobDigest* UnwrittenUnit(const JobRecord& job, int task, const std::set<int>& unwritten) {
  const TaskNode& node = job.graph->nodes()[task];
  if (node.kind != TaskKind::kQuantize || unwritten.count(node.unit) == 0) return nullptr;
  return OutputOf(job, task, "unit");
}

void Add(const v1::BlobDigest& blob, std::map<std::string, v1::BlobDigest>& blobs) {
  if (!blob.sha256().empty()) blobs[blob.sha256()] = blob;
}

}  // namespace

std::map<std::string, v1::BlobDigest> NeededBlobs(const JobRecord& job) {
  std::map<std::string, v1::BlobDigest> blobs;
  if (job.plan == nullptr || job.terminal()) return blobs;
  Add(job.plan->calibration_tokens(), blobs);
  Add(job.plan->evaluation_tokens(), blobs);
  const std::set<int> unwritten = UnwrittenUnits(job);
  for (int task = 0; task < static_cast<int>(job.tasks.size()); ++task) {
    if (job.tasks[task].state == TaskState::kDone) {
      if (const v1::BlobDigest* unit = UnwrittenUnit(job, task, unwritten); unit != nullptr)
        Add(*unit, blobs);
    } else {
      for (const TaskInput& input : InputsOf(job, task)) Add(input.blob, blobs);
    }
  }
  return blobs;
}

std::map<std::string, v1::BlobDigest> ReferencedBlobs(const JobRecord& job) {
  std::map<std::string, v1::BlobDigest> blobs;
  for (const TrialRecord& trial : job.trials) blobs.merge(ReferencedBlobs(*trial.job));
  if (job.plan == nullptr) return blobs;
  Add(job.plan->calibration_tokens(), blobs);
  Add(job.plan->evaluation_tokens(), blobs);
  for (const TaskRecord& task : job.tasks) {
    if (task.result == nullptr) continue;
    for (const v1::NamedBlob& output : task.result->outputs()) Add(output.digest(), blobs);
    for (const v1::StatisticsNode& node : task.result->statistics()) Add(node.blob(), blobs);
  }
  return blobs;
}

std::vector<v1::BlobDigest> InputBlobs(const JobRecord& job, int task) {
  std::vector<v1::BlobDigest> blobs;
  for (TaskInput& input : InputsOf(job, task)) blobs.push_back(std::move(input.blob));
  return blobs;
}

std::vector<std::string> LostTasks(const JobRecord& job,
                                   const std::function<bool(const v1::BlobDigest&)>& present) {
  if (job.plan == nullptr || job.terminal()) return {};
  const std::set<int> unwritten = UnwrittenUnits(job);
  std::set<int> lost;
  // From the end: the readers of a task are known before its turn.
  for (int task = static_cast<int>(job.tasks.size()) - 1; task >= 0; --task) {
    const bool done = job.tasks[task].state == TaskState::kDone;
    if (done && lost.count(task) == 0) {
      const v1::BlobDigest* unit = UnwrittenUnit(job, task, unwritten);
      if (unit != nullptr && !present(*unit)) lost.insert(task);
    }
    if (done && lost.count(task) == 0) continue;
    for (const TaskInput& input : InputsOf(job, task)) {
      if (!present(input.blob)) lost.insert(input.producers.begin(), input.producers.end());
    }
  }
  std::vector<std::string> ids;
  for (int task : lost) {
    if (job.tasks[task].state == TaskState::kDone) ids.push_back(job.graph->nodes()[task].id);
  }
  return ids;
}

}  // namespace heroq
