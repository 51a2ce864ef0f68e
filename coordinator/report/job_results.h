#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/job.pb.h"
#include "heroq/v1/report.pb.h"

namespace heroq {

// Reports of all quantized linears whose task is done, in model order. Pointers live as long as `job`.
std::vector<const v1::LinearReport*> LinearReports(const JobRecord& job);

// How the basis of every input was chosen that a method transformed, likewise.
std::vector<const v1::TransformReport*> TransformReports(const JobRecord& job);

// Sums over the evaluate tasks that are done, in task order; unset when the job evaluates nothing.
std::optional<v1::EvaluationResult> TotalEvaluation(const JobRecord& job);

struct EvaluationMeans {
  double original_perplexity = 0;
  double quantized_perplexity = 0;
  double perplexity_ratio = 0;
  double kl = 0;  // nats per token
};
EvaluationMeans MeansOf(const v1::EvaluationResult& evaluation);

// NUMERICAL_FAILURE when the evaluation is not finite or has no tokens, QUALITY_GATE_FAILED naming the limit
// and the value.
absl::Status CheckQuality(const v1::EvaluationResult& evaluation, const v1::QualityGate& gate);

// Mean and worst relative error, evaluation and warnings of a job; what belongs to its directory stays unset.
v1::JobResult SummarizeResults(const JobRecord& job);

}  // namespace heroq
