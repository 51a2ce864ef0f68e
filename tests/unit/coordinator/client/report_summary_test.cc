#include "coordinator/client/report_summary.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(ReportSummaryTest, WorstLinearComesFirst) {
  const auto summary = ParseReport(R"({"linears": [
      {"name": "a", "scheme": "W4 g64", "relative_error": 0.01, "weight_error": 0.002, "damping": 0.01},
      {"name": "b", "scheme": "W4 g64", "relative_error": 0.03, "weight_error": 0.004, "warnings": ["damping raised"]}],
      "evaluation": {"original_perplexity": 20.0, "quantized_perplexity": 21.5, "kl": 0.15}})",
                                   "r.json");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(FormatReport(*summary),
            "LINEAR  SCHEME  RELATIVE ERROR  WEIGHT ERROR  DAMPING\n"
            "b       W4 g64            0.03         0.004        -\n"
            "a       W4 g64            0.01         0.002     0.01\n"
            "\n"
            "2 linears, mean relative error 0.02\n"
            "perplexity 20 -> 21.5, KL divergence 0.15 nats per token\n"
            "warning: b: damping raised\n");
}

TEST(ReportSummaryTest, WithoutCalibrationWeightErrorsSort) {
  const auto summary = ParseReport(
      R"({"linears": [{"name": "a", "weight_error": 0.002}, {"name": "b", "weight_error": 0.004}]})", "r");
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(FormatReport(*summary),
            "LINEAR  SCHEME  RELATIVE ERROR  WEIGHT ERROR  DAMPING\n"
            "b       -                    -         0.004        -\n"
            "a       -                    -         0.002        -\n"
            "\n"
            "2 linears\n");
}

TEST(ReportSummaryTest, BrokenReportsAreNamed) {
  for (const char* text : {"", "[]", "{}", "{\"linears\": 3}", "{\"linears\": [3]}", "{\"linears\": [{}]}"}) {
    const auto summary = ParseReport(text, "dir/report.json");
    EXPECT_TRUE(HasReason(summary.status(), Reason::kFileCorrupt)) << text;
    EXPECT_NE(summary.status().message().find("dir/report.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace heroq
