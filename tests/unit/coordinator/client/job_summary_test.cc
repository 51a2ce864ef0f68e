#include "coordinator/client/job_summary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heroq {
namespace {

TEST(JobSummaryTest, EverythingThatWasMeasuredHasALine) {
  v1::QuantizationJob job;
  v1::JobResult& result = *job.mutable_result();
  result.set_directory("/tmp/out");
  result.set_size_bytes(118'000'000);
  result.set_mean_relative_error(0.01234);
  result.set_worst_linear("model.layers.0.mlp.down_proj");
  result.set_worst_relative_error(0.0567);
  result.set_warning_count(2);
  v1::EvaluationResult& evaluation = *result.mutable_evaluation();
  evaluation.set_token_count(1000);
  evaluation.set_original_nll_sum(1000 * std::log(20.0));
  evaluation.set_quantized_nll_sum(1000 * std::log(21.0));
  evaluation.set_kl_sum(150);
  EXPECT_EQ(FormatSummary(job, 269'000'000),
            "perplexity      20 -> 21 (x 1.05) on 1000 tokens\n"
            "KL divergence   0.15 nats per token\n"
            "relative error  mean 0.01234, worst 0.0567 in model.layers.0.mlp.down_proj\n"
            "size            269 MB -> 118 MB (44 %)\n"
            "warnings        2, listed in report/report.json\n"
            "directory       /tmp/out\n");
}

TEST(JobSummaryTest, WhatWasNotMeasuredIsLeftOut) {
  v1::QuantizationJob job;
  job.mutable_result()->set_directory("/tmp/out");
  job.mutable_result()->set_size_bytes(5000);
  EXPECT_EQ(FormatSummary(job, std::nullopt), "size            5.00 kB\ndirectory       /tmp/out\n");
}

}  // namespace
}  // namespace heroq
