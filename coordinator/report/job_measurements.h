#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/state/job_record.h"
#include "heroq/v1/report.pb.h"

namespace heroq {

// What a job's tasks measured, collected from their results. Pure.

// One report per quantized linear, in the plan's order. Requires every quantize task done. Pointers live as
// long as `job`.
std::vector<const v1::LinearReport*> LinearReports(const JobRecord& job);

// Weight error each task reported, by linear.
std::map<std::string, double> ReportedWeightErrors(const JobRecord& job);

// Sums over all evaluate tasks, added in the order of their ranges; token_count 0 when there are none.
v1::EvaluationResult SumEvaluation(const JobRecord& job);
// exp(nll / token_count). Require token_count > 0.
double OriginalPerplexity(const v1::EvaluationResult& evaluation);
double QuantizedPerplexity(const v1::EvaluationResult& evaluation);
double MeanKl(const v1::EvaluationResult& evaluation);

struct ErrorSummary {
  bool measured = false;  // false without calibration
  double mean_relative_error = 0;
  double worst_relative_error = 0;
  std::string worst_linear;
};
ErrorSummary SummarizeErrors(const std::vector<const v1::LinearReport*>& linears);

}  // namespace heroq
