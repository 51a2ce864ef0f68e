#include "coordinator/state/job_summary.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "coordinator/state/proto_time.h"

namespace heroq {
namespace {

constexpr double kUnknown = -1;

struct KindTotals {
  int done = 0;
  int total = 0;
  double seconds = 0;  // of the done ones
};

std::map<TaskKind, KindTotals> Count(const JobRecord& job) {
  std::map<TaskKind, KindTotals> kinds;
  std::set<const v1::TaskResult*> counted;  // tasks of one lease share a result
  for (size_t task = 0; task < job.tasks.size(); ++task) {
    KindTotals& totals = kinds[job.graph->nodes()[task].kind];
    ++totals.total;
    if (job.tasks[task].state != TaskState::kDone) continue;
    ++totals.done;
    const v1::TaskResult* result = job.tasks[task].result.get();
    if (counted.insert(result).second) totals.seconds += result->metrics().seconds();
  }
  return kinds;
}

void AddTo(v1::PhaseProgress& progress, const KindTotals& totals) {
  progress.set_tasks_done(progress.tasks_done() + totals.done);
  progress.set_tasks_total(progress.tasks_total() + totals.total);
}

// Evaluation comes last, so nothing of it is measured for most of a job. It runs both models over its tokens;
// a capture runs one block over those of its shard.
double GuessEvaluationSeconds(const v1::Plan& plan, const KindTotals& captures) {
  if (captures.done == 0) return kUnknown;
  const auto tokens = [](double sequences, double length) { return sequences * length; };
  const double of_shard = tokens(plan.calibration().samples(), plan.calibration().sequence_length()) /
                          std::max(plan.calibration().shards(), 1);
  const double of_evaluation = tokens(plan.evaluation().sequences(), plan.evaluation().sequence_length());
  return captures.seconds / captures.done * 2 * plan.block_count() * of_evaluation / std::max(of_shard, 1.0);
}

double Eta(const v1::Plan& plan, std::map<TaskKind, KindTotals>& kinds,
           const std::vector<v1::RunningTask>& running) {
  if (running.empty()) return kUnknown;
  double work = 0;
  for (const auto& [kind, totals] : kinds) {
    if (totals.done == totals.total) continue;
    if (totals.done == 0) {
      const double guess =
          kind == TaskKind::kEvaluate ? GuessEvaluationSeconds(plan, kinds[TaskKind::kCapture]) : kUnknown;
      if (guess < 0) return kUnknown;
      work += guess;
      continue;
    }
    work += totals.seconds / totals.done * (totals.total - totals.done);
  }
  return work / static_cast<double>(running.size());
}

}  // namespace

v1::QuantizationJob SummarizeJob(const JobRecord& job, const std::vector<v1::RunningTask>& running,
                                 const std::string& waiting_for) {
  v1::QuantizationJob summary;
  summary.set_name(absl::StrCat("quantizationJobs/", job.job_id));
  *summary.mutable_spec() = job.spec;
  summary.set_state(job.state);
  summary.set_phase(job.phase);
  *summary.mutable_create_time() = ToProto(job.create_time);
  const bool planned = job.graph != nullptr;
  if (planned) *summary.mutable_start_time() = ToProto(job.start_time);
  if (job.terminal()) *summary.mutable_end_time() = ToProto(job.end_time);
  summary.set_waiting_for(waiting_for);
  for (const v1::RunningTask& task : running) *summary.add_running() = task;
  std::map<TaskKind, KindTotals> kinds;
  if (planned) kinds = Count(job);
  AddTo(*summary.mutable_calibration(), kinds[TaskKind::kCapture]);
  AddTo(*summary.mutable_calibration(), kinds[TaskKind::kAdvance]);
  AddTo(*summary.mutable_quantization(), kinds[TaskKind::kQuantize]);
  AddTo(*summary.mutable_evaluation(), kinds[TaskKind::kEvaluate]);
  const bool estimable = planned && job.state == v1::QuantizationJob::STATE_RUNNING;
  summary.set_eta_seconds(estimable ? Eta(*job.plan, kinds, running) : kUnknown);
  if (job.state == v1::QuantizationJob::STATE_FAILED) *summary.mutable_failure() = job.failure;
  if (!job.blocked.reason().empty()) *summary.mutable_blocked() = job.blocked;
  // A failed quality gate leaves its numbers.
  if (job.terminal() && job.result.ByteSizeLong() > 0) *summary.mutable_result() = job.result;
  return summary;
}

}  // namespace heroq
