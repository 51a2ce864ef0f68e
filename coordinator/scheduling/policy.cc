#include "coordinator/scheduling/policy.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "coordinator/scheduling/shard_runs.h"

namespace heroq {
namespace {

// Lower runs first.
int RankOf(TaskKind kind) {
  switch (kind) {
    case TaskKind::kQuantize:
      return 0;
    case TaskKind::kAdvance:
      return 1;
    case TaskKind::kCapture:
      return 2;
    case TaskKind::kEvaluate:
      return 3;
  }
  return 4;
}

std::vector<const JobRecord*> JobsInOrder(const CoordinatorState& state) {
  std::vector<const JobRecord*> jobs;
  for (const auto& [job_id, job] : state.jobs) {
    if (job->state == v1::QuantizationJob::STATE_RUNNING) jobs.push_back(job.get());
  }
  std::sort(jobs.begin(), jobs.end(), [](const JobRecord* a, const JobRecord* b) {
    return std::make_tuple(-a->spec.priority(), a->creation_sequence) <
           std::make_tuple(-b->spec.priority(), b->creation_sequence);
  });
  return jobs;
}

// Workers of a class that may be used now: the suspended ones only when there are no others.
std::vector<WorkerSlots*> Usable(std::vector<WorkerSlots>& workers, const std::string& numeric_class) {
  std::vector<WorkerSlots*> healthy, suspended;
  for (WorkerSlots& worker : workers) {
    if (worker.numeric_class == numeric_class) (worker.suspended ? suspended : healthy).push_back(&worker);
  }
  return healthy.empty() ? suspended : healthy;
}

// The worker with most free slots, the first one among equals; nullptr when none has any.
WorkerSlots* Freest(const std::vector<WorkerSlots*>& workers) {
  WorkerSlots* best = nullptr;
  for (WorkerSlots* worker : workers) {
    if (worker->free > 0 && (best == nullptr || worker->free > best->free)) best = worker;
  }
  return best;
}

std::vector<int> DueTasks(const JobRecord& job, const std::set<int>& leasing, absl::Time now,
                          const PolicyOptions& options) {
  std::vector<int> due;
  for (int task = 0; task < static_cast<int>(job.tasks.size()); ++task) {
    if (leasing.count(task) == 0 && IsDue(job, task, now, options)) due.push_back(task);
  }
  // Stable: tasks of one kind are in the order of the graph, which is by block.
  std::stable_sort(due.begin(), due.end(), [&](int a, int b) {
    return RankOf(job.graph->nodes()[a].kind) < RankOf(job.graph->nodes()[b].kind);
  });
  return due;
}

// Units to quantize that may wait in a worker's queue, the first to give at the end: all that are left over
// but one per slot, and none that may take others with it.
std::vector<int> UnitsAhead(const JobRecord& job, const std::vector<int>& due, const std::set<int>& granted,
                            const std::vector<WorkerSlots*>& workers) {
  std::vector<int> units;
  for (int task : due) {
    const bool left = job.graph->nodes()[task].kind == TaskKind::kQuantize && granted.count(task) == 0;
    if (left && !job.tasks[task].charged()) units.push_back(task);
  }
  int kept = -1;
  for (const WorkerSlots* worker : workers) kept += worker->slots;
  units.resize(std::max<int>(0, static_cast<int>(units.size()) - kept));
  std::reverse(units.begin(), units.end());
  return units;
}

}  // namespace

bool IsDue(const JobRecord& job, int task, absl::Time now, const PolicyOptions& options) {
  if (!job.Ready(task)) return false;
  const absl::Duration wait = job.tasks[task].not_before - now;
  return wait <= absl::ZeroDuration() || wait > options.backoff_cap * 1.2;
}

std::string ClassOf(const JobRecord& job, const PolicyInput& input) {
  if (!job.numeric_class.empty()) return job.numeric_class;
  if (const auto pinning = input.pinning.find(job.job_id); pinning != input.pinning.end())
    return pinning->second;
  std::map<std::string, int> slots;
  for (const WorkerSlots& worker : input.workers) slots[worker.numeric_class] += worker.slots;
  std::string best;
  for (const auto& [numeric_class, count] : slots) {
    if (best.empty() || count > slots[best]) best = numeric_class;
  }
  return best;
}

std::vector<LeaseGrant> PlanLeases(const PolicyInput& input, const PolicyOptions& options) {
  std::vector<LeaseGrant> grants;
  std::vector<WorkerSlots> workers = input.workers;
  for (const JobRecord* job : JobsInOrder(input.state)) {
    const std::vector<WorkerSlots*> usable = Usable(workers, ClassOf(*job, input));
    const bool any = std::any_of(usable.begin(), usable.end(), [](const WorkerSlots* worker) {
      return worker->free > 0 || worker->ahead > 0;
    });
    if (!any) continue;
    const auto leasing = input.leasing.find(job->job_id);
    const std::set<int> being_leased = leasing == input.leasing.end() ? std::set<int>() : leasing->second;
    const std::vector<int> due = DueTasks(*job, being_leased, input.now, options);
    ShardRuns runs(*job, due, being_leased, options.capture_ahead_bytes);
    std::set<int> granted;
    const auto grant = [&](WorkerSlots* worker, std::vector<int> tasks) {
      worker->free -= 1;
      granted.insert(tasks.begin(), tasks.end());
      grants.push_back({job->job_id, std::move(tasks), worker->session});
    };
    const auto grant_single = [&](TaskKind kind) {
      for (int task : due) {
        if (job->graph->nodes()[task].kind != kind) continue;
        WorkerSlots* worker = Freest(usable);
        if (worker == nullptr) return;
        grant(worker, {task});
      }
    };
    const auto grant_runs = [&](auto available) {
      while (WorkerSlots* worker = available() ? Freest(usable) : nullptr) {
        std::vector<int> run = runs.Take(*worker, usable);
        if (run.empty()) break;
        grant(worker, std::move(run));
      }
    };
    grant_runs([&] { return runs.CapturesAreAwaited(); });
    grant_single(TaskKind::kQuantize);
    grant_runs([] { return true; });
    grant_single(TaskKind::kEvaluate);

    std::vector<int> units = UnitsAhead(*job, due, granted, usable);
    for (WorkerSlots* worker : usable) {
      for (; worker->free == 0 && worker->ahead > 0; --worker->ahead) {
        // One slot is to be filled, whatever others could take ahead too.
        worker->free = 1;
        std::vector<int> tasks;
        if (runs.CapturesAreAwaited()) tasks = runs.TakeOwn(*worker, usable);
        worker->free = 0;
        if (tasks.empty() && !units.empty()) {
          tasks = {units.back()};
          units.pop_back();
        }
        if (tasks.empty()) break;
        grants.push_back({job->job_id, std::move(tasks), worker->session});
      }
    }
  }
  return grants;
}

}  // namespace heroq
