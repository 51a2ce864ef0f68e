#include "coordinator/client/job_text.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coordinator/planning/method_description.h"

namespace heroq {
namespace {

constexpr absl::string_view kPrefix = "quantizationJobs/";

std::string WithoutPrefix(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

double PerToken(double sum, const v1::EvaluationResult& evaluation) {
  return evaluation.token_count() > 0 ? sum / static_cast<double>(evaluation.token_count()) : 0;
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

}  // namespace

std::string StateText(v1::QuantizationJob::State state) {
  return WithoutPrefix(v1::QuantizationJob::State_Name(state), "STATE_");
}

std::string PhaseText(v1::QuantizationJob::Phase phase) {
  return phase == v1::QuantizationJob::PHASE_UNSPECIFIED
             ? ""
             : WithoutPrefix(v1::QuantizationJob::Phase_Name(phase), "PHASE_");
}

std::string JobIdText(absl::string_view name) {
  absl::ConsumePrefix(&name, kPrefix);
  return std::string(name);
}

std::string JobName(absl::string_view id_or_name) {
  return absl::StartsWith(id_or_name, kPrefix) ? std::string(id_or_name) : absl::StrCat(kPrefix, id_or_name);
}

bool IsTerminal(const v1::QuantizationJob& job) {
  return job.state() == v1::QuantizationJob::STATE_SUCCEEDED ||
         job.state() == v1::QuantizationJob::STATE_FAILED ||
         job.state() == v1::QuantizationJob::STATE_CANCELLED;
}

std::string MethodText(const v1::JobSpec& spec) {
  if (spec.has_evaluate_checkpoint()) return "";
  const int bits = spec.scheme().weight_bits() == 0 ? 4 : spec.scheme().weight_bits();
  std::string text = absl::StrCat(DescribeMethod(spec.method()).name, " W", bits);
  if (spec.scheme().group_size() > 0) absl::StrAppend(&text, " group ", spec.scheme().group_size());
  if (spec.scheme().group_size() < 0) text += " per channel";
  return text;
}

absl::Duration AgeOf(const v1::QuantizationJob& job, absl::Time now) {
  return (job.has_end_time() ? ToTime(job.end_time()) : now) - ToTime(job.create_time());
}

double OriginalPerplexity(const v1::EvaluationResult& evaluation) {
  return evaluation.token_count() > 0 ? std::exp(PerToken(evaluation.original_nll_sum(), evaluation)) : 0;
}

double QuantizedPerplexity(const v1::EvaluationResult& evaluation) {
  return evaluation.token_count() > 0 ? std::exp(PerToken(evaluation.quantized_nll_sum(), evaluation)) : 0;
}

double KlPerToken(const v1::EvaluationResult& evaluation) {
  return PerToken(evaluation.kl_sum(), evaluation);
}

}  // namespace heroq
