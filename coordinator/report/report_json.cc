#include "coordinator/report/report_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coordinator/planning/method_description.h"
#include "coordinator/planning/rewritten_tensors.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/report/job_results.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

Json Definitions() {
  return {
      {"relative_error",
       "tr(E H E^T) / tr(W H W^T): E = stored weight - source weight, H = sum of x^T x over the "
       "calibration tokens without "
       "damping; the squared error of the layer's output relative to its energy"},
      {"weight_error", "||E||_F^2 / ||W||_F^2"},
      {"signal_to_noise_db",
       "10 log10(||x W^T||^2 / ||x W^T - y||^2) over the kept tokens, y the output with quantized "
       "activations, stored weight and low-rank branch; where a scheme quantizes activations, H of "
       "relative_error is the sum of q^T q of the quantized ones over the same tokens"},
      {"branch_rank", "rank of the low-rank branch in adapter/"},
      {"damping", "share of mean(diag H) that was added to the diagonal of H"},
      {"mean_shrink",
       "mean share of a group's min-max range that its grid spans, as the scale search or fit chose it"},
      {"transforms",
       "loss: tr(E H E^T) / tr(W H W^T) of the base quantizer on a sample of rows, in the basis that was "
       "chosen "
       "and in the one the input came in; curve: the same for every alpha, on the rows it was scored on"},
      {"spectrum",
       "how the error meets the curvature of its loss, H / tokens + 1 % of its mean diagonal: its largest "
       "eigenvalues, a lower bound of its condition number, e^T H e and ||e||^2 summed over rows, and the "
       "shares of either in the span of those eigenvectors; spectrum_before: the same in the basis the "
       "linear came in, from a sample of rows"},
      {"weight_digest",
       "SHA-256 of codes, scales and zero points as the worker stored them; the published ones have it"},
      {"transformed",
       "the basis of the linear may have been changed: its errors are about the transformed weight"},
      {"trials",
       "transform auto: every transform that was tried, evaluated on the calibration text that follows the "
       "calibration tokens"},
      {"dead_inputs", "input channels that were zero on every calibration token"},
      {"kl", "mean of KL(original || quantized) over the evaluated tokens, in nats"},
      {"perplexity", "exp of the mean negative log-likelihood of the evaluated tokens"}};
}

Json Method(const v1::MethodSpec& method) {
  const MethodDescription description = DescribeMethod(method);
  Json json = {{"name", description.name}};
  for (const MethodParameter& parameter : description.parameters) {
    std::visit([&](const auto& value) { json[parameter.name] = value; }, parameter.value);
  }
  return json;
}

Json Calibration(const v1::Plan& plan) {
  const v1::CalibrationSpec& spec = plan.calibration();
  return {{"samples", spec.samples()},
          {"sequence_length", spec.sequence_length()},
          {"shards", spec.shards()},
          {"micro_batch", spec.micro_batch()},
          {"threads_per_task", spec.threads_per_task()},
          {"seed", spec.seed()},
          {"propagation", absl::AsciiStrToLower(
                              absl::StripPrefix(v1::Propagation_Name(spec.propagation()), "PROPAGATION_"))},
          {"tokens_sha256", plan.calibration_tokens().sha256()}};
}

// Files are named in run.json only: their paths do not decide the bytes.
Json Texts(const v1::Plan& plan) {
  Json texts = Json::array();
  for (const v1::TextUse& use : plan.texts()) {
    texts.push_back({{"documents", use.documents()},
                     {"tokens_read", use.tokens_read()},
                     {"tokens_used", use.tokens_used()}});
  }
  return texts;
}

Json Spectrum(const v1::SpectralReport& report) {
  return {{"eigenvalues", std::vector<double>(report.eigenvalues().begin(), report.eigenvalues().end())},
          {"condition_number", report.condition_number()},
          {"error_energy", report.error_energy()},
          {"error_norm", report.error_norm()},
          {"norm_share", report.norm_share()},
          {"energy_share", report.energy_share()}};
}

Json Linear(const v1::LinearReport& report) {
  Json json = {{"name", report.name()},
               {"shape", {report.out_features(), report.in_features()}},
               {"scheme", SchemeText(report.scheme())}};
  if (report.has_relative_error()) json["relative_error"] = report.relative_error();
  json["weight_error"] = report.weight_error();
  if (report.has_signal_to_noise_db()) json["signal_to_noise_db"] = report.signal_to_noise_db();
  if (report.branch_rank() > 0) json["branch_rank"] = report.branch_rank();
  if (!report.weight_digest().empty()) json["weight_digest"] = report.weight_digest();
  if (report.transformed()) json["transformed"] = true;
  if (report.has_damping()) {
    json["damping"] = report.damping();
    json["damping_raised"] = report.damping_raised();
  }
  if (report.has_mean_shrink()) json["mean_shrink"] = report.mean_shrink();
  if (report.token_count() > 0) {
    json["dead_inputs"] = report.dead_inputs();
    json["token_count"] = report.token_count();
  }
  if (report.has_spectrum_before()) json["spectrum_before"] = Spectrum(report.spectrum_before());
  if (report.has_spectrum()) json["spectrum"] = Spectrum(report.spectrum());
  json["warnings"] = std::vector<std::string>(report.warnings().begin(), report.warnings().end());
  return json;
}

Json Transform(const v1::TransformReport& report) {
  Json curve = Json::array();
  for (const v1::AlphaScore& score : report.curve())
    curve.push_back({{"alpha", score.alpha()}, {"loss", score.loss()}, {"rows", score.rows()}});
  Json json = {{"block", report.block()},
               {"input", report.input()},
               {"alpha", report.alpha()},
               {"rotation", report.rotation()},
               {"rotation_size", report.rotation_size()},
               {"loss", report.loss()},
               {"untransformed_loss", report.untransformed_loss()},
               {"curve", std::move(curve)}};
  if (report.has_hadamard_loss()) {
    json["hadamard_loss"] = report.hadamard_loss();
    json["rotation_steps"] = report.rotation_steps();
  }
  if (!report.rotation_note().empty()) json["rotation_note"] = report.rotation_note();
  return json;
}

Json Evaluation(const JobRecord& job) {
  const v1::EvaluationResult evaluation = TotalEvaluation(job).value_or(v1::EvaluationResult());
  const EvaluationMeans means = MeansOf(evaluation);
  return {{"sequences", job.plan->evaluation().sequences()},
          {"sequence_length", job.plan->evaluation().sequence_length()},
          {"predicted_tokens", evaluation.token_count()},
          {"original_perplexity", means.original_perplexity},
          {"quantized_perplexity", means.quantized_perplexity},
          {"perplexity_ratio", means.perplexity_ratio},
          {"kl", means.kl},
          {"tokens_sha256", job.plan->evaluation_tokens().sha256()}};
}

Json Trials(const JobRecord& job) {
  Json trials = Json::array();
  for (const TrialRecord& trial : job.trials) {
    const EvaluationMeans means = MeansOf(trial.evaluation);
    trials.push_back({{"transform", TransformName(trial.transform)},
                      {"predicted_tokens", trial.evaluation.token_count()},
                      {"perplexity_ratio", means.perplexity_ratio},
                      {"kl", means.kl},
                      {"chosen", trial.transform == job.plan->method().hero_q().transform()}});
  }
  return trials;
}

Json Gate(const v1::QualityGate& gate) {
  Json json = Json::object();
  if (gate.max_perplexity_ratio() > 0) json["max_perplexity_ratio"] = gate.max_perplexity_ratio();
  if (gate.max_kl() > 0) json["max_kl"] = gate.max_kl();
  return json;
}

Json Predicted(const v1::CostEstimate& cost) {
  return {{"bytes_read", cost.bytes_read()},
          {"bytes_written", cost.bytes_written()},
          {"worker_peak_memory_bytes", cost.worker_peak_memory_bytes()},
          {"worker_peak_phase", cost.worker_peak_phase()},
          {"disk_bytes", cost.disk_bytes()},
          {"task_count", cost.task_count()},
          {"forward_flops", cost.forward_flops()},
          {"statistics_flops", cost.statistics_flops()},
          {"solver_flops", cost.solver_flops()}};
}

Json Summary(const v1::JobResult& result, size_t linears) {
  Json json = {{"linears", linears}, {"warning_count", result.warning_count()}};
  if (!result.worst_linear().empty()) {
    json["mean_relative_error"] = result.mean_relative_error();
    json["worst_linear"] = result.worst_linear();
    json["worst_relative_error"] = result.worst_relative_error();
  }
  return json;
}

}  // namespace

std::string ReportJson(const JobRecord& job, const std::string& heroq_version) {
  const v1::Plan& plan = *job.plan;
  Json linears = Json::array();
  for (const v1::LinearReport* report : LinearReports(job)) linears.push_back(Linear(*report));
  Json kept = Json::array();
  for (const v1::KeptLinear& linear : plan.kept())
    kept.push_back({{"name", linear.name()}, {"reason", linear.reason()}});
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["heroq_version"] = heroq_version;
  json["spec_digest"] = plan.spec_digest();
  json["numeric_class"] = job.numeric_class;
  json["family"] = plan.family();
  json["compute_type"] = plan.compute_type();
  json["strict"] = job.spec.strict();
  json["method"] = Method(plan.method());
  if (!job.trials.empty()) json["trials"] = Trials(job);
  if (plan.has_calibration_tokens()) json["calibration"] = Calibration(plan);
  json["texts"] = Texts(plan);
  json["summary"] = Summary(SummarizeResults(job), linears.size());
  if (plan.has_evaluation_tokens()) json["evaluation"] = Evaluation(job);
  if (job.spec.has_quality_gate()) json["quality_gate"] = Gate(job.spec.quality_gate());
  json["definitions"] = Definitions();
  json["linears"] = std::move(linears);
  json["kept"] = std::move(kept);
  if (ChangesBases(plan.method())) {
    Json& transforms = json["transforms"] = Json::array();
    for (const v1::TransformReport* report : TransformReports(job)) transforms.push_back(Transform(*report));
  }
  json["predicted"] = Predicted(plan.cost());
  json["warnings"] = std::vector<std::string>(plan.warnings().begin(), plan.warnings().end());
  // Text that came from outside may hold bytes that are no UTF-8.
  return absl::StrCat(json.dump(1, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace heroq
