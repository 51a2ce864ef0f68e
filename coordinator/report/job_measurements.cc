#include "coordinator/report/job_measurements.h"

#include <cmath>

namespace heroq {

std::vector<const v1::LinearReport*> LinearReports(const JobRecord& job) {
  std::vector<const v1::LinearReport*> reports;
  const auto& nodes = job.graph->nodes();
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].kind != TaskKind::kQuantize || job.tasks[i].result == nullptr) continue;
    for (const v1::LinearReport& linear : job.tasks[i].result->linears()) reports.push_back(&linear);
  }
  return reports;
}

std::map<std::string, double> ReportedWeightErrors(const JobRecord& job) {
  std::map<std::string, double> errors;
  for (const v1::LinearReport* linear : LinearReports(job)) errors[linear->name()] = linear->weight_error();
  return errors;
}

v1::EvaluationResult SumEvaluation(const JobRecord& job) {
  v1::EvaluationResult sum;
  const auto& nodes = job.graph->nodes();
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].kind != TaskKind::kEvaluate || job.tasks[i].result == nullptr) continue;
    const v1::EvaluationResult& part = job.tasks[i].result->evaluation();
    sum.set_token_count(sum.token_count() + part.token_count());
    sum.set_original_nll_sum(sum.original_nll_sum() + part.original_nll_sum());
    sum.set_quantized_nll_sum(sum.quantized_nll_sum() + part.quantized_nll_sum());
    sum.set_kl_sum(sum.kl_sum() + part.kl_sum());
  }
  return sum;
}

double OriginalPerplexity(const v1::EvaluationResult& evaluation) {
  return std::exp(evaluation.original_nll_sum() / static_cast<double>(evaluation.token_count()));
}

double QuantizedPerplexity(const v1::EvaluationResult& evaluation) {
  return std::exp(evaluation.quantized_nll_sum() / static_cast<double>(evaluation.token_count()));
}

double MeanKl(const v1::EvaluationResult& evaluation) {
  return evaluation.kl_sum() / static_cast<double>(evaluation.token_count());
}

ErrorSummary SummarizeErrors(const std::vector<const v1::LinearReport*>& linears) {
  ErrorSummary summary;
  int measured = 0;
  for (const v1::LinearReport* linear : linears) {
    if (!linear->has_relative_error()) continue;
    ++measured;
    summary.mean_relative_error += linear->relative_error();
    if (linear->relative_error() > summary.worst_relative_error || summary.worst_linear.empty()) {
      summary.worst_relative_error = linear->relative_error();
      summary.worst_linear = linear->name();
    }
  }
  summary.measured = measured > 0;
  if (measured > 0) summary.mean_relative_error /= measured;
  return summary;
}

}  // namespace heroq
