#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace heroq {

struct LinearSummary {
  std::string name;
  std::string scheme;
  std::optional<double> relative_error;  // without calibration there is none
  double weight_error = 0;
  std::optional<double> damping;
  std::vector<std::string> warnings;
};

// What a table shows of report/report.json (docs/reference/report.md).
struct ReportSummary {
  std::vector<LinearSummary> linears;
  std::optional<double> original_perplexity;
  std::optional<double> quantized_perplexity;
  std::optional<double> kl_per_token;
  std::vector<std::string> warnings;
};

// FILE_CORRUPT naming file and member.
absl::StatusOr<ReportSummary> ParseReport(absl::string_view json, const std::string& path);

// One row per linear, worst relative error first, then the totals. Each line ended.
std::string FormatReport(const ReportSummary& summary);

}  // namespace heroq
