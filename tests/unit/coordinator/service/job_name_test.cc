#include "coordinator/service/job_name.h"

#include <gtest/gtest.h>

#include "common/status/error_reason.h"

namespace heroq {
namespace {

TEST(JobNameTest, NameAndIdAreInverse) {
  EXPECT_EQ(JobNameOf("a-1"), "quantizationJobs/a-1");
  EXPECT_EQ(*JobIdOf("quantizationJobs/a-1"), "a-1");
  EXPECT_EQ(*JobIdOf(JobNameOf(std::string(63, 'x'))), std::string(63, 'x'));
}

TEST(JobNameTest, OtherFormsAreRefused) {
  for (const char* name : {"", "a", "quantizationJobs", "quantizationJobs/", "jobs/a", "quantizationJobs/A",
                           "quantizationJobs/a/b", "quantizationJobs/-a", "quantizationJobs/a-",
                           "quantizationJobs/a_b", "quantizationJobs/.."}) {
    EXPECT_TRUE(HasReason(JobIdOf(name).status(), Reason::kInvalidSpec)) << name;
  }
  EXPECT_FALSE(CheckJobId(std::string(64, 'x')).ok());
}

}  // namespace
}  // namespace heroq
