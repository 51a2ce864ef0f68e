#include "coordinator/client/resume_decision.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

v1::JobSpec Spec(int bits) {
  v1::JobSpec spec;
  spec.mutable_model()->mutable_location()->set_root("local");
  spec.mutable_model()->mutable_location()->set_path("m");
  spec.mutable_scheme()->set_weight_bits(bits);
  spec.mutable_method()->mutable_gptq();
  return spec;
}

TEST(ResumeDecisionTest, NothingUnfinishedStarts) {
  EXPECT_EQ(*DecideResume(std::nullopt, Spec(4), false, "/o"), ResumeAction::kStart);
}

TEST(ResumeDecisionTest, SameJobResumes) {
  EXPECT_EQ(*DecideResume(RequestFor(Spec(4)), Spec(4), false, "/o"), ResumeAction::kResume);
}

TEST(ResumeDecisionTest, ChangedFlagsAreRefusedWithEveryDifference) {
  v1::JobSpec changed = Spec(3);
  changed.mutable_method()->mutable_rtn();
  changed.mutable_calibration()->mutable_source()->add_text_files()->set_path("t.txt");
  changed.mutable_calibration()->mutable_source()->mutable_text_files(0)->set_root("local");
  const auto action = DecideResume(RequestFor(Spec(4)), changed, false, "/o");
  ASSERT_TRUE(HasReason(action.status(), Reason::kSpecChanged));
  EXPECT_EQ(action.status().message(),
            "an unfinished run of /o had other settings (then -> now):\n"
            "  --calibration (calibration.source.text_files): not given -> [/t.txt]\n"
            "  --bits (scheme.weight_bits): 4 -> 3\n"
            "  --method (method.rtn): not given -> set\n"
            "  --method (method.gptq): set -> not given");
}

TEST(ResumeDecisionTest, RestartDiscardsWhateverWasThere) {
  EXPECT_EQ(*DecideResume(RequestFor(Spec(4)), Spec(3), true, "/o"), ResumeAction::kStart);
}

TEST(ResumeDecisionTest, MemoryOfWorkersDoesNotCount) {
  v1::JobSpec bounded = Spec(4);
  bounded.set_worker_memory_bytes(int64_t{1} << 30);
  EXPECT_EQ(*DecideResume(RequestFor(Spec(4)), bounded, false, "/o"), ResumeAction::kResume);
  EXPECT_EQ(RequestFor(bounded).quantization_job_id(), RequestFor(Spec(4)).quantization_job_id());
}

TEST(ResumeDecisionTest, LabelsAndPriorityDoNotCount) {
  v1::JobSpec labelled = Spec(4);
  (*labelled.mutable_labels())["a"] = "b";
  labelled.set_priority(5);
  EXPECT_EQ(*DecideResume(RequestFor(Spec(4)), labelled, false, "/o"), ResumeAction::kResume);
}

TEST(ResumeDecisionTest, RequestIdsAreAFunctionOfTheJob) {
  const v1::CreateQuantizationJobRequest request = RequestFor(Spec(4));
  EXPECT_EQ(request.quantization_job_id(), RequestFor(Spec(4)).quantization_job_id());
  EXPECT_EQ(request.request_id(), RequestFor(Spec(4)).request_id());
  EXPECT_NE(request.quantization_job_id(), RequestFor(Spec(3)).quantization_job_id());
  EXPECT_EQ(request.quantization_job_id().size(), 22u);
  EXPECT_EQ(request.request_id().size(), 36u);
}

}  // namespace
}  // namespace heroq
