#include "coordinator/client/error_text.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(ErrorTextTest, MessageThenRemedy) {
  EXPECT_EQ(FormatError(MakeError(Reason::kJobNotFound, "no job 'x'")),
            "heroq: error: no job 'x'\n  heroq list shows the jobs that exist.\n");
}

TEST(ErrorTextTest, ErrorWithoutReasonIsItsMessage) {
  EXPECT_EQ(FormatError(absl::InternalError("boom")), "heroq: error: boom\n");
}

TEST(ErrorTextTest, EveryViolationHasALineWithItsFlag) {
  const absl::Status status =
      MakeError(Reason::kInvalidSpec,
                "the job spec is invalid: labels has too many; scheme.weight_bits is 9, expected 2 to 8",
                {{"field:scheme.weight_bits", "is 9, expected 2 to 8"}, {"field:labels", "has too many"}});
  EXPECT_EQ(FormatError(status),
            "heroq: error: the job spec is invalid\n"
            "  labels has too many\n"
            "  --bits (scheme.weight_bits) is 9, expected 2 to 8\n");
}

TEST(ErrorTextTest, ViolationsTheMessageDoesNotRepeatLeaveItWhole) {
  const absl::Status status = MakeError(Reason::kInvalidSpec, "output /m/x lies inside /m",
                                        {{"field:output.location", "lies inside the model directory"}});
  EXPECT_EQ(FormatError(status),
            "heroq: error: output /m/x lies inside /m\n"
            "  --output (output.location) lies inside the model directory\n");
}

TEST(ErrorTextTest, FailedJobNamesItsTask) {
  v1::QuantizationJob job;
  job.mutable_failure()->set_reason("OUT_OF_MEMORY");
  job.mutable_failure()->set_message("a worker ran out of memory");
  job.mutable_failure()->set_task_id("capture/3/0");
  EXPECT_EQ(FormatFailure(job),
            "heroq: error: job failed: a worker ran out of memory (capture/3/0)\n"
            "  Use fewer --workers or a smaller --micro-batch.\n");
}

}  // namespace
}  // namespace heroq
