#include "coordinator/client/job_summary.h"

#include "absl/strings/str_format.h"
#include "coordinator/client/job_text.h"
#include "coordinator/client/number_format.h"

namespace heroq {

std::string FormatSummary(const v1::QuantizationJob& job, std::optional<int64_t> source_bytes) {
  const v1::JobResult& result = job.result();
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    absl::StrAppendFormat(&text, "%-16s%s\n", name, value);
  };
  const v1::EvaluationResult& evaluation = result.evaluation();
  if (evaluation.token_count() > 0) {
    const double before = OriginalPerplexity(evaluation), after = QuantizedPerplexity(evaluation);
    line("perplexity",
         absl::StrFormat("%s -> %s (x %s) on %d tokens", FormatNumber(before), FormatNumber(after),
                         FormatNumber(after / before), evaluation.token_count()));
    line("KL divergence", FormatNumber(KlPerToken(evaluation)) + " nats per token");
  }
  if (!result.worst_linear().empty()) {
    line("relative error",
         absl::StrFormat("mean %s, worst %s in %s", FormatNumber(result.mean_relative_error()),
                         FormatNumber(result.worst_relative_error()), result.worst_linear()));
  }
  if (result.size_bytes() > 0) {
    std::string size = FormatBytes(result.size_bytes());
    if (source_bytes.has_value() && *source_bytes > 0) {
      const double share = static_cast<double>(result.size_bytes()) / static_cast<double>(*source_bytes);
      size = absl::StrFormat("%s -> %s (%.0f %%)", FormatBytes(*source_bytes), size, 100 * share);
    }
    line("size", size);
  }
  if (result.warning_count() > 0) {
    line("warnings", absl::StrFormat("%d, listed in report/report.json", result.warning_count()));
  }
  if (!result.directory().empty()) line("directory", result.directory());
  return text;
}

}  // namespace heroq
