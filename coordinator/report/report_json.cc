#include "coordinator/report/report_json.h"

#include <nlohmann/json.hpp>

#include "coordinator/planning/scheme_text.h"
#include "coordinator/report/job_measurements.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

Json Definitions() {
  return {
      {"relative_error",
       "tr(E H E^T) / tr(W H W^T) with E = dequantized - original weight and H = sum of x^T x over the "
       "calibration tokens, "
       "without damping: squared error of the layer's output on the calibration text relative to its energy. "
       "Computed "
       "from the stored bytes."},
      {"weight_error", "||E||_F^2 / ||W||_F^2"},
      {"solver_loss", "the solver's own value of relative_error, its damping share subtracted"},
      {"damping", "share of mean(diag H) that was added to the diagonal of H"},
      {"mean_shrink", "mean factor by which the scale search shrank the min-max range; 1 keeps the range"},
      {"dead_inputs",
       "inputs that were zero on every calibration token; their weights are rounded to nearest"},
      {"perplexity", "exp of the mean negative log-likelihood per predicted token of the evaluation text"},
      {"kl", "mean KL divergence per predicted token, original || quantized, in nats"},
  };
}

Json LinearJson(const v1::LinearReport& linear) {
  Json json;
  json["name"] = linear.name();
  json["shape"] = {linear.out_features(), linear.in_features()};
  json["scheme"] = SchemeText(linear.scheme());
  if (linear.has_relative_error()) json["relative_error"] = linear.relative_error();
  json["weight_error"] = linear.weight_error();
  if (linear.has_solver_loss()) json["solver_loss"] = linear.solver_loss();
  if (linear.has_damping()) {
    json["damping"] = linear.damping();
    json["damping_raised"] = linear.damping_raised();
  }
  if (linear.has_mean_shrink()) json["mean_shrink"] = linear.mean_shrink();
  json["dead_inputs"] = linear.dead_inputs();
  json["token_count"] = linear.token_count();
  json["warnings"] = linear.warnings();
  return json;
}

Json EvaluationJson(const v1::EvaluationResult& evaluation, const v1::EvaluationSpec& spec) {
  return {{"sequences", spec.sequences()},
          {"sequence_length", spec.sequence_length()},
          {"predicted_tokens", evaluation.token_count()},
          {"original_perplexity", OriginalPerplexity(evaluation)},
          {"quantized_perplexity", QuantizedPerplexity(evaluation)},
          {"perplexity_ratio", QuantizedPerplexity(evaluation) / OriginalPerplexity(evaluation)},
          {"kl", MeanKl(evaluation)}};
}

Json CalibrationJson(const v1::CalibrationSpec& spec) {
  return {{"samples", spec.samples()},
          {"sequence_length", spec.sequence_length()},
          {"shards", spec.shards()},
          {"micro_batch", spec.micro_batch()},
          {"threads_per_task", spec.threads_per_task()},
          {"seed", spec.seed()},
          {"propagation", spec.propagation() == v1::PROPAGATION_QUANTIZED ? "quantized" : "full_precision"}};
}

std::string MethodName(const v1::MethodSpec& method) {
  return method.method_case() == v1::MethodSpec::kRtn ? "rtn" : "gptq";
}

std::string Print(const Json& json) { return json.dump(1) + "\n"; }

}  // namespace

std::string ReportJson(const JobRecord& job) {
  const v1::Plan& plan = *job.plan;
  const auto linears = LinearReports(job);
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["definitions"] = Definitions();
  json["family"] = plan.family();
  json["method"] = MethodName(plan.method());
  json["compute_type"] = plan.compute_type();
  if (plan.has_calibration_tokens()) json["calibration"] = CalibrationJson(plan.calibration());
  const v1::EvaluationResult evaluation = SumEvaluation(job);
  if (evaluation.token_count() > 0) json["evaluation"] = EvaluationJson(evaluation, plan.evaluation());
  const ErrorSummary summary = SummarizeErrors(linears);
  json["summary"]["linears"] = linears.size();
  if (summary.measured) {
    json["summary"]["mean_relative_error"] = summary.mean_relative_error;
    json["summary"]["worst_relative_error"] = summary.worst_relative_error;
    json["summary"]["worst_linear"] = summary.worst_linear;
  }
  json["predicted_memory"] = {{"worker_peak_bytes", plan.cost().worker_peak_memory_bytes()},
                              {"disk_bytes", plan.cost().disk_bytes()}};
  json["linears"] = Json::array();
  for (const v1::LinearReport* linear : linears) json["linears"].push_back(LinearJson(*linear));
  json["kept"] = Json::array();
  for (const v1::KeptLinear& kept : plan.kept()) {
    json["kept"].push_back({{"name", kept.name()}, {"reason", kept.reason()}});
  }
  json["warnings"] = plan.warnings();
  return Print(json);
}

std::string EvaluationReportJson(const JobRecord& job) {
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["definitions"] = {{"perplexity", Definitions()["perplexity"]}, {"kl", Definitions()["kl"]}};
  json["evaluation"] = EvaluationJson(SumEvaluation(job), job.plan->evaluation());
  return Print(json);
}

}  // namespace heroq
