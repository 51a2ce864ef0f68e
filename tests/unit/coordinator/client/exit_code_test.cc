#include "coordinator/client/exit_code.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

v1::QuantizationJob JobIn(v1::QuantizationJob::State state, const std::string& reason = "") {
  v1::QuantizationJob job;
  job.set_state(state);
  job.mutable_failure()->set_reason(reason);
  return job;
}

TEST(ExitCodeTest, NumbersAreThoseOfTheReference) {
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kJobFailed), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotAllowed), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnavailable), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kTimeout), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::kQualityGateFailed), 7);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotChecked), 8);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

TEST(ExitCodeTest, StatusDecides) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(MakeError(Reason::kInvalidSpec, "")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(MakeError(Reason::kJobNotFound, "")), ExitCode::kError);
  EXPECT_EQ(ExitCodeOf(MakeError(Reason::kPathNotAllowed, "")), ExitCode::kNotAllowed);
  EXPECT_EQ(ExitCodeOf(MakeError(Reason::kUnavailable, "")), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), ExitCode::kTimeout);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), ExitCode::kInterrupted);
}

TEST(ExitCodeTest, LocalIoErrorIsNotAnUnavailableServer) {
  ASSERT_EQ(MakeError(Reason::kIo, "").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ExitCodeOf(MakeError(Reason::kIo, "")), ExitCode::kError);
}

TEST(ExitCodeTest, JobDecides) {
  EXPECT_EQ(ExitCodeOf(JobIn(v1::QuantizationJob::STATE_SUCCEEDED)), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(JobIn(v1::QuantizationJob::STATE_FAILED, "NUMERICAL_FAILURE")), ExitCode::kJobFailed);
  EXPECT_EQ(ExitCodeOf(JobIn(v1::QuantizationJob::STATE_FAILED, "QUALITY_GATE_FAILED")),
            ExitCode::kQualityGateFailed);
  EXPECT_EQ(ExitCodeOf(JobIn(v1::QuantizationJob::STATE_CANCELLED)), ExitCode::kJobFailed);
  EXPECT_EQ(ExitCodeOf(JobIn(v1::QuantizationJob::STATE_RUNNING)), ExitCode::kError);
}

}  // namespace
}  // namespace heroq
