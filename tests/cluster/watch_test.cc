// Jobs as their users see them, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/test_cluster.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchTest : public ::testing::Test {
 protected:
  // Reads until the stream ends or `stop` says so; then cancels it.
  std::vector<v1::WatchQuantizationJobResponse> Watch(
      const std::string& name, int64_t after_sequence,
      const std::function<bool(const v1::WatchQuantizationJobResponse&)>& stop = nullptr) {
    grpc::ClientContext context;
    v1::WatchQuantizationJobRequest request;
    request.set_name(name);
    request.set_after_sequence(after_sequence);
    const auto reader = cluster_.jobs().WatchQuantizationJob(&context, request);
    std::vector<v1::WatchQuantizationJobResponse> messages;
    v1::WatchQuantizationJobResponse message;
    while (reader->Read(&message)) {
      messages.push_back(message);
      if (stop && stop(message)) context.TryCancel();
    }
    status_ = FromGrpcStatus(reader->Finish());
    return messages;
  }
  static std::vector<int64_t> Sequences(const std::vector<v1::WatchQuantizationJobResponse>& messages) {
    std::vector<int64_t> sequences;
    for (const auto& message : messages) {
      if (message.has_event()) sequences.push_back(message.event().sequence());
    }
    return sequences;
  }
  static std::vector<std::string> Kinds(const std::vector<v1::WatchQuantizationJobResponse>& messages) {
    std::vector<std::string> kinds;
    for (const auto& message : messages) {
      if (message.has_event()) kinds.push_back(message.event().kind());
    }
    return kinds;
  }
  void Commit(const v1::Update& update) { ASSERT_TRUE(cluster_.store().CommitAndWait(update).ok()); }

  TestCluster cluster_{true};
  absl::Status status_;
};

TEST_F(WatchTest, StateComesFirstThenEventsUntilTheEnd) {
  Commit(CreateUpdate("j"));
  absl::Notification first;
  std::vector<v1::WatchQuantizationJobResponse> messages;
  std::thread watcher([&] {
    messages = Watch("quantizationJobs/j", 0, [&](const auto& message) {
      if (!first.HasBeenNotified()) first.Notify();
      return false;
    });
  });
  first.WaitForNotification();
  Commit(PlanUpdate("j", TestPlan()));
  Commit(EndUpdate("j", v1::QuantizationJob::STATE_FAILED));
  watcher.join();
  EXPECT_TRUE(status_.ok()) << status_;
  ASSERT_GE(messages.size(), 3u);
  EXPECT_FALSE(messages[0].has_event());
  EXPECT_EQ(messages[0].job().state(), v1::QuantizationJob::STATE_QUEUED);
  EXPECT_THAT(Kinds(messages), ElementsAre("job_planned", "job_ended"));
  EXPECT_EQ(messages.back().job().state(), v1::QuantizationJob::STATE_FAILED);
}

TEST_F(WatchTest, BrokenStreamIsResumedBySequenceWithoutGapsOrRepeats) {
  Commit(CreateUpdate("j"));
  const int64_t created = cluster_.store().Snapshot()->sequence;
  Commit(PlanUpdate("j", TestPlan()));
  cluster_.AddWorker("w1");
  cluster_.AddWorker("w2");
  ASSERT_TRUE(cluster_.WaitForJob("j"));
  // Two at a time, by a watcher whose connection keeps breaking.
  std::vector<int64_t> seen;
  int64_t after = created;
  const int64_t last = cluster_.store().Snapshot()->sequence;
  while (after < last) {
    int events = 0;
    const auto messages = Watch("quantizationJobs/j", after, [&](const auto& message) {
      events += message.has_event() ? 1 : 0;
      return events == 2 || (message.has_event() && message.event().sequence() == last);
    });
    ASSERT_FALSE(messages.empty());
    EXPECT_FALSE(messages[0].has_event()) << "the state comes first";
    // A cancelled stream may deliver what was on its way.
    for (int64_t sequence : Sequences(messages)) {
      seen.push_back(sequence);
      after = sequence;
    }
  }
  std::vector<int64_t> expected;
  for (int64_t sequence = created + 1; sequence <= last; ++sequence) expected.push_back(sequence);
  EXPECT_EQ(seen, expected);
}

TEST_F(WatchTest, NumbersStayTheSameOverARestart) {
  Commit(CreateUpdate("j"));
  Commit(PlanUpdate("j", TestPlan()));
  const int64_t before = cluster_.store().Snapshot()->sequence;
  cluster_.StopCoordinator();
  cluster_.StartCoordinator();
  // The new epoch is an update too.
  ASSERT_EQ(cluster_.store().Snapshot()->sequence, before + 1);
  Commit(EndUpdate("j", v1::QuantizationJob::STATE_FAILED));
  EXPECT_THAT(Sequences(Watch("quantizationJobs/j", before)), ElementsAre(before + 2));
}

TEST_F(WatchTest, ProgressOfRunningTasksIsSentWithoutEvents) {
  cluster_.AddWorker("w1", [](const v1::Task&, const TaskEnvironment& environment) -> absl::Status {
    environment.progress("half way", 0.5);
    while (!environment.cancellation.cancelled()) std::this_thread::yield();
    return environment.cancellation.Check();
  });
  cluster_.AddJob("j", TestPlan());
  // Heartbeats bring the progress in; the refresh, which a server does every second, brings it to the
  // watcher.
  absl::Notification stop;
  std::thread refresher([&] {
    while (!stop.HasBeenNotified()) {
      cluster_.RefreshWatchers();
      std::this_thread::yield();
    }
  });
  const auto messages = Watch("quantizationJobs/j", 0, [](const auto& message) {
    return message.job().running_size() == 1 && message.job().running(0).activity() == "half way";
  });
  stop.Notify();
  refresher.join();
  EXPECT_FALSE(messages.back().has_event());
  EXPECT_EQ(messages.back().job().running(0).fraction(), 0.5);
}

TEST_F(WatchTest, WatcherThatDoesNotReadDelaysNobody) {
  Commit(CreateUpdate("j"));
  grpc::ClientContext context;
  v1::WatchQuantizationJobRequest request;
  request.set_name("quantizationJobs/j");
  TestPlanOptions many_tasks;
  many_tasks.blocks = 40;
  const v1::Plan plan = TestPlan(many_tasks);
  const auto silent = cluster_.jobs().WatchQuantizationJob(&context, request);
  Commit(PlanUpdate("j", plan));
  cluster_.AddWorker("w1");
  ASSERT_TRUE(cluster_.WaitForJob("j"));
  Commit(EndUpdate("j", v1::QuantizationJob::STATE_FAILED));
  // What it gets in the end is the newest state.
  v1::WatchQuantizationJobResponse message, last;
  while (silent->Read(&message)) last = message;
  EXPECT_TRUE(silent->Finish().ok());
  EXPECT_EQ(last.job().state(), v1::QuantizationJob::STATE_FAILED);
  EXPECT_EQ(last.event().kind(), "job_ended");
}

TEST_F(WatchTest, UnknownAndMalformedNamesAreRefused) {
  EXPECT_THAT(Watch("quantizationJobs/none", 0), IsEmpty());
  EXPECT_TRUE(HasReason(status_, Reason::kJobNotFound)) << status_;
  EXPECT_THAT(Watch("none", 0), IsEmpty());
  EXPECT_TRUE(HasReason(status_, Reason::kInvalidSpec)) << status_;
}

TEST_F(WatchTest, DeletedJobEndsItsWatches) {
  Commit(CreateUpdate("j"));
  Commit(EndUpdate("j", v1::QuantizationJob::STATE_FAILED));
  const auto messages = Watch("quantizationJobs/j", 0);
  EXPECT_TRUE(status_.ok());
  EXPECT_EQ(messages.size(), 1u);
  grpc::ClientContext context;
  v1::DeleteQuantizationJobRequest request;
  request.set_name("quantizationJobs/j");
  google::protobuf::Empty empty;
  ASSERT_TRUE(cluster_.jobs().DeleteQuantizationJob(&context, request, &empty).ok());
  Watch("quantizationJobs/j", 0);
  EXPECT_TRUE(HasReason(status_, Reason::kJobNotFound));
}

TEST_F(WatchTest, ShutdownEndsWatchesAndSessionsThatWouldLast) {
  cluster_.AddWorker("w1");
  Commit(CreateUpdate("j"));
  absl::Notification first;
  std::thread watcher([&] {
    Watch("quantizationJobs/j", 0, [&](const auto&) {
      if (!first.HasBeenNotified()) first.Notify();
      return false;
    });
  });
  first.WaitForNotification();
  // Would wait for ever for an unfinished call.
  cluster_.StopCoordinator();
  watcher.join();
  EXPECT_TRUE(HasReason(status_, Reason::kUnavailable)) << status_;
}

TEST_F(WatchTest, JobsAreListedByPageNewestFirst) {
  for (const char* id : {"a", "b", "c"}) Commit(CreateUpdate(id));
  v1::ListQuantizationJobsRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    grpc::ClientContext context;
    v1::ListQuantizationJobsResponse response;
    ASSERT_TRUE(cluster_.jobs().ListQuantizationJobs(&context, request, &response).ok());
    for (const auto& job : response.quantization_jobs()) names.push_back(job.name());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("quantizationJobs/c", "quantizationJobs/b", "quantizationJobs/a"));
}

}  // namespace
}  // namespace heroq
