#include "coordinator/service/job_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Jobs "j1" to "j<count>", created in this order; even ones have succeeded.
CoordinatorState Jobs(int count) {
  CoordinatorState state;
  for (int i = 1; i <= count; ++i) {
    auto job = std::make_shared<JobRecord>();
    job->job_id = absl::StrCat("j", i);
    job->creation_sequence = 10 * i;
    job->state = i % 2 == 0 ? v1::QuantizationJob::STATE_SUCCEEDED : v1::QuantizationJob::STATE_RUNNING;
    state.jobs[job->job_id] = job;
  }
  return state;
}

std::vector<std::string> Ids(const JobPage& page) {
  std::vector<std::string> ids;
  for (const auto& job : page.jobs) ids.push_back(job->job_id);
  return ids;
}

TEST(JobPageTest, PagesNeitherRepeatNorHideWhenJobsComeAndGo) {
  CoordinatorState state = Jobs(5);
  v1::ListQuantizationJobsRequest request;
  request.set_page_size(2);
  const JobPage first = *SelectJobs(state, request);
  EXPECT_THAT(Ids(first), ElementsAre("j5", "j4"));
  // The job the token names is deleted and another is created.
  state.jobs.erase("j4");
  auto newer = std::make_shared<JobRecord>();
  newer->job_id = "j6";
  newer->creation_sequence = 60;
  state.jobs["j6"] = newer;
  request.set_page_token(first.next_page_token);
  const JobPage second = *SelectJobs(state, request);
  EXPECT_THAT(Ids(second), ElementsAre("j3", "j2"));
  request.set_page_token(second.next_page_token);
  const JobPage third = *SelectJobs(state, request);
  EXPECT_THAT(Ids(third), ElementsAre("j1"));
  EXPECT_EQ(third.next_page_token, "");
}

TEST(JobPageTest, StatesFilter) {
  v1::ListQuantizationJobsRequest request;
  request.add_states(v1::QuantizationJob::STATE_SUCCEEDED);
  EXPECT_THAT(Ids(*SelectJobs(Jobs(4), request)), ElementsAre("j4", "j2"));
  request.set_states(0, v1::QuantizationJob::STATE_FAILED);
  EXPECT_THAT(Ids(*SelectJobs(Jobs(4), request)), IsEmpty());
}

TEST(JobPageTest, SizesHaveADefaultAndACap) {
  v1::ListQuantizationJobsRequest request;
  EXPECT_EQ(SelectJobs(Jobs(60), request)->jobs.size(), 50u);
  request.set_page_size(5000);
  EXPECT_EQ(SelectJobs(Jobs(1100), request)->jobs.size(), 1000u);
  request.set_page_size(-1);
  EXPECT_TRUE(HasReason(SelectJobs(Jobs(1), request).status(), Reason::kInvalidSpec));
}

TEST(JobPageTest, TokensOfOthersAreRefused) {
  v1::ListQuantizationJobsRequest request;
  for (const char* token : {"!", "YWZ0ZXI6eA==", "MTI="}) {
    request.set_page_token(token);
    EXPECT_TRUE(HasReason(SelectJobs(Jobs(1), request).status(), Reason::kInvalidSpec)) << token;
  }
}

}  // namespace
}  // namespace heroq
