#include "coordinator/client/report_summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/number_format.h"
#include "coordinator/client/text_table.h"

namespace heroq {
namespace {

using Json = nlohmann::json;

constexpr JsonLimits kLimits{.max_bytes = int64_t{256} << 20};

std::optional<double> Number(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<std::string> Texts(const Json& object, const char* name) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return texts;
  for (const Json& text : *found) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

absl::StatusOr<ReportSummary> ParseReport(absl::string_view json, const std::string& path) {
  HEROQ_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(json, path, kLimits));
  const auto linears = root.is_object() ? root.find("linears") : root.end();
  if (!root.is_object() || linears == root.end() || !linears->is_array()) {
    return MakeError(Reason::kFileCorrupt,
                     absl::StrCat(path, ": expected a JSON object with an array `linears`"));
  }
  ReportSummary summary;
  for (const Json& entry : *linears) {
    LinearSummary linear;
    linear.name = entry.is_object() ? Text(entry, "name") : "";
    if (linear.name.empty()) {
      return MakeError(Reason::kFileCorrupt, absl::StrCat(path, ": an entry of `linears` has no name"));
    }
    linear.scheme = Text(entry, "scheme");
    linear.relative_error = Number(entry, "relative_error");
    linear.weight_error = Number(entry, "weight_error").value_or(0);
    linear.damping = Number(entry, "damping");
    linear.warnings = Texts(entry, "warnings");
    summary.linears.push_back(std::move(linear));
  }
  if (const auto evaluation = root.find("evaluation"); evaluation != root.end() && evaluation->is_object()) {
    summary.original_perplexity = Number(*evaluation, "original_perplexity");
    summary.quantized_perplexity = Number(*evaluation, "quantized_perplexity");
    summary.kl_per_token = Number(*evaluation, "kl");
  }
  summary.warnings = Texts(root, "warnings");
  return summary;
}

std::string FormatReport(const ReportSummary& summary) {
  std::vector<LinearSummary> linears = summary.linears;
  std::stable_sort(linears.begin(), linears.end(), [](const LinearSummary& a, const LinearSummary& b) {
    return a.relative_error.value_or(a.weight_error) > b.relative_error.value_or(b.weight_error);
  });
  TextTable table({"LINEAR", "SCHEME", "RELATIVE ERROR", "WEIGHT ERROR", "DAMPING"}, {2, 3, 4});
  const auto text = [](const std::optional<double>& value) {
    return value.has_value() ? FormatNumber(*value) : "";
  };
  double error_sum = 0;
  int measured = 0;
  for (const LinearSummary& linear : linears) {
    table.AddRow({linear.name, linear.scheme, text(linear.relative_error), FormatNumber(linear.weight_error),
                  text(linear.damping)});
    error_sum += linear.relative_error.value_or(0);
    measured += linear.relative_error.has_value() ? 1 : 0;
  }
  std::string result = absl::StrCat(table.Render(), "\n", linears.size(), " linears");
  if (measured > 0) absl::StrAppend(&result, ", mean relative error ", FormatNumber(error_sum / measured));
  result += "\n";
  if (summary.original_perplexity.has_value() && summary.quantized_perplexity.has_value()) {
    absl::StrAppend(&result, "perplexity ", FormatNumber(*summary.original_perplexity), " -> ",
                    FormatNumber(*summary.quantized_perplexity));
    if (summary.kl_per_token.has_value()) {
      absl::StrAppend(&result, ", KL divergence ", FormatNumber(*summary.kl_per_token), " nats per token");
    }
    result += "\n";
  }
  for (const std::string& warning : summary.warnings) absl::StrAppend(&result, "warning: ", warning, "\n");
  for (const LinearSummary& linear : linears) {
    for (const std::string& warning : linear.warnings)
      absl::StrAppend(&result, "warning: ", linear.name, ": ", warning, "\n");
  }
  return result;
}

}  // namespace heroq
