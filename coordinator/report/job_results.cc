#include "coordinator/report/job_results.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

// Results of finished quantize tasks, in the order of Plan.units; null where there is none yet.
std::vector<const v1::TaskResult*> ResultsByUnit(const JobRecord& job) {
  std::vector<const v1::TaskResult*> by_unit(job.plan->units_size(), nullptr);
  for (size_t i = 0; i < job.tasks.size(); ++i) {
    const TaskNode& node = job.graph->nodes()[i];
    if (node.kind == TaskKind::kQuantize && job.tasks[i].result != nullptr)
      by_unit[node.unit] = job.tasks[i].result.get();
  }
  return by_unit;
}

}  // namespace

std::vector<const v1::LinearReport*> LinearReports(const JobRecord& job) {
  const std::vector<const v1::TaskResult*> by_unit = ResultsByUnit(job);
  std::vector<const v1::LinearReport*> reports;
  for (int unit = 0; unit < job.plan->units_size(); ++unit) {
    if (by_unit[unit] == nullptr) continue;
    for (const v1::PlannedLinear& planned : job.plan->units(unit).linears()) {
      for (const v1::LinearReport& report : by_unit[unit]->linears()) {
        if (report.name() == planned.name()) reports.push_back(&report);
      }
    }
  }
  return reports;
}

std::vector<const v1::TransformReport*> TransformReports(const JobRecord& job) {
  std::vector<const v1::TransformReport*> reports;
  for (const v1::TaskResult* result : ResultsByUnit(job)) {
    if (result == nullptr) continue;
    for (const v1::TransformReport& report : result->transforms()) reports.push_back(&report);
  }
  return reports;
}

std::optional<v1::EvaluationResult> TotalEvaluation(const JobRecord& job) {
  std::optional<v1::EvaluationResult> total;
  for (size_t i = 0; i < job.tasks.size(); ++i) {
    if (job.graph->nodes()[i].kind != TaskKind::kEvaluate) continue;
    if (!total.has_value()) total.emplace();
    if (job.tasks[i].result == nullptr) continue;
    const v1::EvaluationResult& part = job.tasks[i].result->evaluation();
    total->set_token_count(total->token_count() + part.token_count());
    total->set_original_nll_sum(total->original_nll_sum() + part.original_nll_sum());
    total->set_quantized_nll_sum(total->quantized_nll_sum() + part.quantized_nll_sum());
    total->set_kl_sum(total->kl_sum() + part.kl_sum());
  }
  return total;
}

EvaluationMeans MeansOf(const v1::EvaluationResult& evaluation) {
  const double tokens = static_cast<double>(evaluation.token_count());
  EvaluationMeans means;
  means.original_perplexity = std::exp(evaluation.original_nll_sum() / tokens);
  means.quantized_perplexity = std::exp(evaluation.quantized_nll_sum() / tokens);
  means.perplexity_ratio =
      std::exp((evaluation.quantized_nll_sum() - evaluation.original_nll_sum()) / tokens);
  means.kl = evaluation.kl_sum() / tokens;
  return means;
}

absl::Status CheckQuality(const v1::EvaluationResult& evaluation, const v1::QualityGate& gate) {
  const EvaluationMeans means = MeansOf(evaluation);
  if (evaluation.token_count() <= 0 || !std::isfinite(means.original_perplexity) ||
      !std::isfinite(means.quantized_perplexity) || !std::isfinite(means.kl)) {
    return MakeError(Reason::kNumericalFailure,
                     absl::StrCat("evaluation over ", evaluation.token_count(),
                                  " tokens is not finite: perplexity ", means.original_perplexity,
                                  " before, ", means.quantized_perplexity, " after, KL ", means.kl));
  }
  if (gate.max_perplexity_ratio() > 0 && means.perplexity_ratio > gate.max_perplexity_ratio()) {
    return MakeError(Reason::kQualityGateFailed,
                     absl::StrCat("perplexity rose from ", means.original_perplexity, " to ",
                                  means.quantized_perplexity, ", a ratio of ", means.perplexity_ratio,
                                  ", expected at most ", gate.max_perplexity_ratio()));
  }
  if (gate.max_kl() > 0 && means.kl > gate.max_kl()) {
    return MakeError(
        Reason::kQualityGateFailed,
        absl::StrCat("KL divergence is ", means.kl, " nats a token, expected at most ", gate.max_kl()));
  }
  return absl::OkStatus();
}

v1::JobResult SummarizeResults(const JobRecord& job) {
  v1::JobResult result;
  int counted = 0, warnings = job.plan->warnings_size();
  double sum = 0;
  for (const v1::LinearReport* report : LinearReports(job)) {
    warnings += report->warnings_size();
    if (!report->has_relative_error()) continue;
    ++counted;
    sum += report->relative_error();
    if (result.worst_linear().empty() || report->relative_error() > result.worst_relative_error()) {
      result.set_worst_linear(report->name());
      result.set_worst_relative_error(report->relative_error());
    }
  }
  if (counted > 0) result.set_mean_relative_error(sum / counted);
  result.set_warning_count(warnings);
  if (const std::optional<v1::EvaluationResult> evaluation = TotalEvaluation(job)) {
    *result.mutable_evaluation() = *evaluation;
  }
  return result;
}

}  // namespace heroq
