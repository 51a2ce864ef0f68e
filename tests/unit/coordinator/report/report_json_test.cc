#include "coordinator/report/report_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "coordinator/report/job_results.h"
#include "coordinator/report/run_json.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using nlohmann::json;

class ReportJsonTest : public testing::Test {
 protected:
  ReportJsonTest() {
    WriteTinyModel(files_, "/model");
    WriteTokens(files_, "/tokens", 4, 16, 100);
    harness_ = std::make_unique<DriverHarness>(files_, "/state");
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath("/model");
    *spec.mutable_output()->mutable_location() = LocalPath("/out/w4");
    spec.mutable_method()->mutable_gptq();
    spec.mutable_calibration()->set_samples(4);
    spec.mutable_calibration()->set_sequence_length(16);
    *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
    *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/tokens");
    spec.mutable_evaluation()->set_sequences(2);
    spec.mutable_evaluation()->set_sequence_length(16);
    harness_->CreateJob("job", spec);
    harness_->RunToEnd("job");
  }

  MemoryFileSystem files_;
  std::unique_ptr<DriverHarness> harness_;
};

TEST_F(ReportJsonTest, EveryLinearIsReportedInModelOrderWithItsDefinitions) {
  const json report = json::parse(*ReadFile(files_, "/out/w4/report/report.json"));
  ASSERT_EQ(report["linears"].size(), 14u);
  EXPECT_EQ(report["linears"][0]["name"], "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(report["linears"][13]["name"], "model.layers.1.mlp.down_proj");
  EXPECT_GT(report["linears"][0]["relative_error"], 0.0);
  EXPECT_TRUE(absl::StrContains(report["definitions"]["relative_error"].get<std::string>(), "tr(E H E^T)"));
  EXPECT_EQ(report["method"]["damping"], 0.01);
  EXPECT_EQ(report["summary"]["linears"], 14);
  EXPECT_GT(report["predicted"]["worker_peak_memory_bytes"], 0);
}

TEST_F(ReportJsonTest, EvaluationIsMeansOverAllTokens) {
  const json evaluation = json::parse(*ReadFile(files_, "/out/w4/report/report.json"))["evaluation"];
  EXPECT_EQ(evaluation["predicted_tokens"], 200);
  EXPECT_DOUBLE_EQ(evaluation["original_perplexity"].get<double>(), std::exp(3.0));
  EXPECT_DOUBLE_EQ(evaluation["quantized_perplexity"].get<double>(), std::exp(3.1));
  EXPECT_DOUBLE_EQ(evaluation["kl"].get<double>(), 0.05);
}

TEST_F(ReportJsonTest, TimesWorkersAndPathsAreInTheRunOnly) {
  const std::string report = *ReadFile(files_, "/out/w4/report/report.json");
  for (const char* text : {"/tokens", "/model\"", "worker-1", "/out", "2023"}) {
    EXPECT_FALSE(absl::StrContains(report, text)) << text;
  }
  const json run = json::parse(*ReadFile(files_, "/out/w4/report/run.json"));
  EXPECT_EQ(run["job_id"], "job");
  EXPECT_EQ(run["model_directory"], "/model");
  EXPECT_EQ(run["start_time"], "2023-11-14T22:13:20+00:00");
  EXPECT_EQ(run["tasks"][0]["worker"], "worker-1");
  EXPECT_EQ(run["tasks"][0]["attempts"], 1);
  // 4 shards (of 4 sequences) and 2 units a block, and 2 ranges to evaluate.
  EXPECT_EQ(run["tasks"].size(), 2u * (4 + 2) + 2);
  EXPECT_EQ(run["texts"][0]["file"], "/tokens");
}

TEST_F(ReportJsonTest, SummariesNameTheWorstLinear) {
  const std::shared_ptr<const JobRecord> job = harness_->Job("job");
  const v1::JobResult result = SummarizeResults(*job);
  double worst = 0, sum = 0;
  for (const v1::LinearReport* report : LinearReports(*job)) {
    worst = std::max(worst, report->relative_error());
    sum += report->relative_error();
  }
  EXPECT_EQ(result.worst_relative_error(), worst);
  EXPECT_DOUBLE_EQ(result.mean_relative_error(), sum / 14);
}

}  // namespace
}  // namespace heroq
