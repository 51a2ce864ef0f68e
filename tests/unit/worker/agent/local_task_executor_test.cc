#include "worker/agent/local_task_executor.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/worker/agent/task_fixture.h"

namespace heroq {
namespace {

class LocalTaskExecutorTest : public TaskTest {
 protected:
  v1::Task CaptureAll() {
    v1::Task task;
    task.set_id("capture/0/0-5");
    *task.mutable_capture() = Capture(0, 0, kShards);
    return task;
  }

  FakeClock clock_;
  LocalTaskExecutor executor_{clock_, c10::Device(c10::kCPU)};
};

TEST_F(LocalTaskExecutorTest, MeasuresATask) {
  std::vector<double> fractions;
  const auto on_progress = [&](const std::string&, double fraction) {
    fractions.push_back(fraction);
    clock_.Advance(absl::Seconds(2));
  };
  const auto result = executor_.Execute(CaptureAll(), context_, {files_, blobs_, cancellation_, on_progress});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(fractions, (std::vector<double>{0.0, 0.2, 0.4, 0.6, 0.8}));
  const v1::TaskMetrics& metrics = result->metrics();
  EXPECT_EQ(metrics.seconds(), 10);
  EXPECT_EQ(metrics.tokens(), kSequences * kLength);
  EXPECT_EQ(metrics.bytes_read(), tokens_.size_bytes());
  int64_t written = 0;
  for (const v1::NamedBlob& output : result->outputs()) written += output.digest().size_bytes();
  for (const v1::StatisticsNode& node : result->statistics()) written += node.blob().size_bytes();
  EXPECT_EQ(metrics.bytes_written(), written);
  EXPECT_GT(metrics.peak_rss_bytes(), 0);
}

TEST_F(LocalTaskExecutorTest, AnotherJobOpensItsOwnModel) {
  const auto first = executor_.Execute(CaptureAll(), context_, Environment());
  WriteTinyModel(files_, "/other", {.seed = 9});
  context_.set_job_id("job 2");
  context_.set_model_directory("/other");
  const auto second = executor_.Execute(CaptureAll(), context_, Environment());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->outputs(0).digest().sha256(), second->outputs(0).digest().sha256());
}

TEST_F(LocalTaskExecutorTest, AMissingModelKeepsItsReason) {
  context_.set_model_directory("/nowhere");
  const auto result = executor_.Execute(CaptureAll(), context_, Environment());
  EXPECT_TRUE(HasReason(result.status(), Reason::kModelNotFound));
}

TEST_F(LocalTaskExecutorTest, AKindOfTaskItDoesNotKnowIsUnsupported) {
  v1::Task task;
  task.set_id("what/1");
  EXPECT_TRUE(HasReason(executor_.Execute(task, context_, Environment()).status(), Reason::kUnsupported));
}

}  // namespace
}  // namespace heroq
