#include "coordinator/service/job_event_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace heroq {
namespace {

TEST(JobEventTextTest, EveryChangeOfAJobHasAKindOfItsOwn) {
  const auto* change = v1::Update::descriptor()->FindOneofByName("change");
  std::set<std::string> kinds;
  for (int i = 0; i < change->field_count(); ++i) {
    const auto* field = change->field(i);
    v1::Update update;
    auto* message = update.GetReflection()->MutableMessage(&update, field);
    const auto* job_id = field->message_type()->FindFieldByName("job_id");
    const auto text = DescribeUpdate(update);
    EXPECT_EQ(text.has_value(), job_id != nullptr) << field->name();
    if (job_id == nullptr) continue;
    message->GetReflection()->SetString(message, job_id, "j");
    EXPECT_EQ(DescribeUpdate(update)->job_id, "j");
    EXPECT_NE(text->event.kind(), "");
    EXPECT_TRUE(kinds.insert(text->event.kind()).second) << text->event.kind();
  }
  EXPECT_FALSE(DescribeUpdate(v1::Update()).has_value());
}

TEST(JobEventTextTest, SaysWhatHappenedInWords) {
  v1::Update returned;
  returned.mutable_task_returned()->set_lease_id("1.7");
  returned.mutable_task_returned()->set_cause(v1::TaskReturned::CAUSE_FAILED);
  returned.mutable_task_returned()->set_failure_kind(v1::FAILURE_KIND_OUT_OF_MEMORY);
  returned.mutable_task_returned()->set_message("q_proj");
  EXPECT_EQ(DescribeUpdate(returned)->event.message(), "1.7 failed (out of memory): q_proj");
  v1::Update phase;
  phase.mutable_job_phase_changed()->set_phase(v1::QuantizationJob::PHASE_VALIDATING);
  EXPECT_EQ(DescribeUpdate(phase)->event.message(), "validating");
  v1::Update ended;
  ended.mutable_job_ended()->set_state(v1::QuantizationJob::STATE_FAILED);
  ended.mutable_job_ended()->mutable_failure()->set_reason("MODEL_INVALID");
  ended.mutable_job_ended()->mutable_failure()->set_message("NaN in q_proj");
  EXPECT_EQ(DescribeUpdate(ended)->event.message(), "failed: MODEL_INVALID: NaN in q_proj");
}

}  // namespace
}  // namespace heroq
