#include "coordinator/scheduling/result_check.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/model/shard_tree.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/scheduling/lease_builder.h"

namespace heroq {
namespace {

constexpr size_t kDigestLength = 64;

class ResultChecker {
 public:
  ResultChecker(const JobRecord& job, const std::vector<int>& tasks, const v1::TaskResult& result)
      : job_(job), tasks_(tasks), result_(result), first_(job.graph->nodes()[tasks.front()]) {}

  absl::Status Check() const {
    switch (first_.kind) {
      case TaskKind::kCapture:
        if (EmitsHiddenStates(job_, tasks_.front())) HEROQ_RETURN_IF_ERROR(CheckHiddenStates());
        return CheckStatistics();
      case TaskKind::kQuantize:
        HEROQ_RETURN_IF_ERROR(CheckOutput("unit"));
        return CheckReports();
      case TaskKind::kAdvance:
        return CheckHiddenStates();
      case TaskKind::kEvaluate:
        return CheckEvaluation();
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Wrong(const std::string& what) const {
    return MakeError(Reason::kInternal, absl::StrCat("job ", job_.job_id, ": the result of task ",
                                                     LeasedTaskId(job_, tasks_), " ", what));
  }

  static bool IsDigest(const v1::BlobDigest& digest) {
    return digest.sha256().size() == kDigestLength && digest.size_bytes() >= 0;
  }

  absl::Status CheckOutput(const std::string& name) const {
    int found = 0;
    for (const v1::NamedBlob& output : result_.outputs()) {
      if (output.name() == name && IsDigest(output.digest())) ++found;
    }
    return found == 1 ? absl::OkStatus()
                      : Wrong(absl::StrCat("names ", found, " blobs for ", name, ", expected 1"));
  }

  absl::Status CheckHiddenStates() const {
    for (int task : tasks_) {
      HEROQ_RETURN_IF_ERROR(CheckOutput(absl::StrCat("hidden/", job_.graph->nodes()[task].shard)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckStatistics() const {
    std::set<std::string> inputs;
    for (const v1::PlannedUnit& unit : job_.plan->units()) {
      if (unit.block() != first_.block) continue;
      for (const v1::PlannedLinear& linear : unit.linears()) inputs.insert(linear.input());
    }
    for (const std::string& input : inputs) HEROQ_RETURN_IF_ERROR(CheckCover(input));
    return absl::OkStatus();
  }

  absl::Status CheckCover(const std::string& input) const {
    std::vector<ShardRange> ranges;
    for (const v1::StatisticsNode& node : result_.statistics()) {
      if (node.input() != input) continue;
      if (!IsDigest(node.blob()))
        return Wrong(absl::StrCat("has statistics of ", input, " without a digest"));
      ranges.push_back({node.shard_begin(), node.shard_end()});
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const ShardRange& a, const ShardRange& b) { return a.begin < b.begin; });
    const int64_t begin = first_.shard;
    const int64_t end = begin + static_cast<int64_t>(tasks_.size());
    int64_t covered = begin;
    for (const ShardRange& range : ranges) {
      if (range.begin != covered || !IsTreeNode(range, job_.plan->calibration().shards())) break;
      covered = range.end;
    }
    if (covered == end) return absl::OkStatus();
    return Wrong(absl::StrCat("has statistics of ", input, " that do not cover shards [", begin, ", ", end,
                              ") once with nodes of the summation tree"));
  }

  absl::Status CheckReports() const {
    std::multiset<std::string> expected, reported;
    for (const v1::PlannedLinear& linear : job_.plan->units(first_.unit).linears())
      expected.insert(linear.name());
    for (const v1::LinearReport& report : result_.linears()) reported.insert(report.name());
    return expected == reported ? absl::OkStatus() : Wrong("does not report each of its linears once");
  }

  absl::Status CheckEvaluation() const {
    const v1::EvaluationResult& evaluation = result_.evaluation();
    const bool finite = std::isfinite(evaluation.original_nll_sum()) &&
                        std::isfinite(evaluation.quantized_nll_sum()) && std::isfinite(evaluation.kl_sum());
    return evaluation.token_count() > 0 && finite ? absl::OkStatus()
                                                  : Wrong("has no finite sums over tokens");
  }

  const JobRecord& job_;
  const std::vector<int>& tasks_;
  const v1::TaskResult& result_;
  const TaskNode& first_;
};

}  // namespace

absl::Status CheckResult(const JobRecord& job, const std::vector<int>& tasks, const v1::TaskResult& result) {
  return ResultChecker(job, tasks, result).Check();
}

}  // namespace heroq
