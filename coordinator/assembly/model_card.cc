#include "coordinator/assembly/model_card.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coordinator/assembly/card_usage.h"
#include "coordinator/planning/dense_output.h"
#include "coordinator/planning/gptq_output.h"
#include "coordinator/planning/quantization_config.h"
#include "coordinator/planning/scheme_text.h"
#include "coordinator/report/job_results.h"
#include "re2/re2.h"

namespace heroq {
namespace {

// The hub id of the source where its config.json has one; the path it was read from is nobody's business.
std::optional<std::string> BaseModel(const std::string& config_json) {
  const nlohmann::json config = nlohmann::json::parse(config_json, nullptr, false);
  if (!config.is_object() || !config.contains("_name_or_path") || !config["_name_or_path"].is_string())
    return std::nullopt;
  std::string name = config["_name_or_path"].get<std::string>();
  if (!RE2::FullMatch(name, "[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")) return std::nullopt;
  return name;
}

// "W4A16 g64 asymmetric (203 linears)" per distinct scheme, in model order.
std::string Schemes(const v1::Plan& plan) {
  std::vector<std::string> order;
  std::map<std::string, int> counts;
  for (const v1::PlannedUnit& unit : plan.units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const std::string text = SchemeText(linear.scheme());
      if (counts[text]++ == 0) order.push_back(text);
    }
  }
  std::string schemes;
  for (const std::string& text : order) {
    absl::StrAppend(&schemes, schemes.empty() ? "" : ", ", text, " (", counts[text], " linears)");
  }
  return schemes;
}

std::string Text(const v1::RtnParameters& rtn) {
  return rtn.scale_search() ? "round to nearest with scale search" : "round to nearest";
}

std::string Text(const v1::GptqParameters& gptq) {
  return absl::StrCat("GPTQ, damping ", gptq.damping(), gptq.act_order() ? ", activation order" : "",
                      gptq.scale_search() ? ", scale search" : "");
}

std::string Text(const v1::AwqParameters& awq) {
  return absl::StrCat("AWQ, channels scaled with one of ", awq.steps(),
                      " exponents (folded into the weights), then round to nearest",
                      awq.scale_search() ? " with scale search" : "");
}

std::string Text(const v1::SmoothQuantParameters& smoothquant) {
  return absl::StrCat("SmoothQuant, strength ", smoothquant.strength(), " (folded into the weights), then ",
                      smoothquant.has_rtn() ? Text(smoothquant.rtn()) : Text(smoothquant.gptq()));
}

std::string Text(const v1::HeroQParameters& hero_q) {
  const std::string base = hero_q.has_rtn()   ? Text(hero_q.rtn())
                           : hero_q.has_awq() ? Text(hero_q.awq())
                                              : Text(hero_q.gptq());
  if (hero_q.transform() == v1::TRANSFORM_ONLINE && hero_q.rotation() != v1::ROTATION_NONE) {
    return absl::StrCat("HeRo-Q, norms and projections scaled, inputs rotated at run time, then ", base);
  }
  const bool fused = hero_q.transform() == v1::TRANSFORM_FUSED;
  return absl::StrCat("HeRo-Q, ", fused ? "residual stream rotated" : "norms and projections scaled",
                      " (folded into the weights, nothing to do at run time), then ", base);
}

std::string Text(const v1::ArhqParameters& arhq) {
  const std::string base = arhq.has_rtn() ? Text(arhq.rtn()) : Text(arhq.gptq());
  if (arhq.branch() == v1::LOW_RANK_BRANCH_NONE) return base;
  return absl::StrCat("ARHQ, branches of rank ", arhq.rank(),
                      arhq.branch() == v1::LOW_RANK_BRANCH_PLAIN ? " from the weights" : "", ", then ", base);
}

std::string MethodText(const v1::MethodSpec& method) {
  if (method.has_arhq()) return Text(method.arhq());
  if (method.has_rtn()) return Text(method.rtn());
  if (method.has_hero_q()) return Text(method.hero_q());
  if (method.has_awq()) return Text(method.awq());
  if (method.has_smoothquant()) return Text(method.smoothquant());
  if (method.has_dash_q()) {
    return absl::StrCat("DASH-Q, ", method.dash_q().rounds(), method.dash_q().damped() ? " damped" : "",
                        " rounds");
  }
  return Text(method.gptq());
}

std::string Measurements(const JobRecord& job) {
  const v1::JobResult results = SummarizeResults(job);
  std::string text;
  if (!results.worst_linear().empty()) {
    absl::StrAppendFormat(
        &text, "| mean relative layer error | %.3g |\n| worst relative layer error | %.3g (%s) |\n",
        results.mean_relative_error(), results.worst_relative_error(), results.worst_linear());
  }
  if (results.has_evaluation()) {
    const EvaluationMeans means = MeansOf(results.evaluation());
    absl::StrAppendFormat(
        &text,
        "| perplexity of the original | %.4f |\n| perplexity of this checkpoint | %.4f |\n"
        "| KL divergence from the original | %.5f nats a token |\n| held-out tokens | %d |\n",
        means.original_perplexity, means.quantized_perplexity, means.kl, results.evaluation().token_count());
  }
  return text;
}

// "GPTQ, version 2", "compressed-tensors pack-quantized".
std::string StoredAs(const std::string& format) {
  if (format == "gptq") return "GPTQ, version 1";
  if (format == "gptq_v2") return "GPTQ, version 2";
  return absl::StrCat("compressed-tensors ", format);
}

}  // namespace

std::string ModelCard(const JobRecord& job, const std::string& config_json,
                      const std::string& heroq_version) {
  const v1::Plan& plan = *job.plan;
  const std::optional<std::string> base = BaseModel(config_json);
  std::string card = "---\nlibrary_name: transformers\npipeline_tag: text-generation\n";
  if (base.has_value()) absl::StrAppend(&card, "base_model: ", *base, "\nbase_model_relation: quantized\n");
  const bool dense = PublishesDense(plan);
  const std::string format = CheckpointFormat(plan);
  const std::string tag = dense ? "" : IsGptqFormat(format) ? "- gptq\n" : "- compressed-tensors\n";
  absl::StrAppend(&card, "tags:\n- heroq\n", tag, "---\n\n# Quantized checkpoint",
                  base.has_value() ? absl::StrCat(" of ", *base) : "", "\n\nWeights quantized by heroq ",
                  heroq_version,
                  dense ? " and stored dense: what the codes stand for (dequantized), not compressed. For "
                          "measurements, not for use."
                        : absl::StrCat(" and stored as ", StoredAs(format), "."),
                  "\n\n| | |\n|---|---|\n");
  absl::StrAppend(&card, "| family | ", plan.family(), " |\n| method | ", MethodText(plan.method()),
                  " |\n| scheme | ", Schemes(plan), " |\n");
  if (plan.has_calibration_tokens()) {
    absl::StrAppend(&card, "| calibration | ", plan.calibration().samples(), " sequences of ",
                    plan.calibration().sequence_length(), " tokens |\n");
  }
  absl::StrAppend(&card, Measurements(job),
                  "\n`report/report.json` has the numbers of every layer, `MANIFEST.json` the "
                  "digest of every file.\n\n",
                  CardUsage(plan));
  return card;
}

}  // namespace heroq
