#include "worker/agent/worker_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_worker_service.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Runs whatever the test put in its place.
class FunctionExecutor final : public TaskExecutor {
 public:
  using Function = std::function<absl::StatusOr<v1::TaskResult>(const v1::Task&, const TaskEnvironment&)>;
  explicit FunctionExecutor(const Function& function) : function_(function) {}
  absl::StatusOr<v1::TaskResult> Execute(const v1::Task& task, const v1::JobContext&,
                                         const TaskEnvironment& environment) override {
    return function_(task, environment);
  }

 private:
  const Function& function_;
};

// A task that runs until it is told to stop, as a long computation does.
absl::StatusOr<v1::TaskResult> RunUntilCancelled(const TaskEnvironment& environment) {
  while (!environment.cancellation.cancelled()) std::this_thread::yield();
  return environment.cancellation.Check();
}

class WorkerAgentTest : public ::testing::Test {
 protected:
  ~WorkerAgentTest() override {
    // Before the service goes.
    agent_.reset();
  }

  void StartAgent(int slots = 1) {
    WorkerAgentOptions options;
    options.hello.set_worker_id("w1");
    options.hello.set_slots(slots);
    options.reconnect = {absl::Milliseconds(1), absl::Milliseconds(1), 1, 0};
    options.report = options.reconnect;
    agent_ = std::make_unique<WorkerAgent>(
        server_.channel(), [this] { return std::make_unique<FunctionExecutor>(execute_); },
        FileSystem::Posix(), clock_, [] { return 0.5; }, [this] { drain_requested_.Notify(); }, options);
    agent_->Start();
    ASSERT_TRUE(coordinator_.WaitFor([this] { return coordinator_.hellos.size() == 1; }));
  }
  bool WaitForCompleted(std::size_t count) {
    return coordinator_.WaitFor([&] { return coordinator_.completed.size() >= count; });
  }

  FakeClock clock_;
  FakeWorkerService coordinator_;
  TestServer server_{{&coordinator_}};
  FunctionExecutor::Function execute_ = [](const v1::Task& task, const TaskEnvironment&) {
    v1::TaskResult result;
    result.add_outputs()->set_name("done " + task.id());
    return result;
  };
  absl::Notification drain_requested_;
  std::unique_ptr<WorkerAgent> agent_;
};

TEST_F(WorkerAgentTest, LeaseRunsAndItsResultIsHandedIn) {
  StartAgent();
  EXPECT_EQ(coordinator_.hellos[0].worker_id(), "w1");
  coordinator_.SendLease("a");
  ASSERT_TRUE(WaitForCompleted(1));
  EXPECT_EQ(coordinator_.completed[0].token().lease_id(), "a");
  EXPECT_EQ(coordinator_.completed[0].result().outputs(0).name(), "done a");
}

TEST_F(WorkerAgentTest, SlotsRunAtTheSameTime) {
  absl::Notification second_runs;
  execute_ = [&](const v1::Task& task, const TaskEnvironment&) {
    if (task.id() == "b") second_runs.Notify();
    second_runs.WaitForNotification();
    return v1::TaskResult();
  };
  StartAgent(2);
  coordinator_.SendLease("a");
  coordinator_.SendLease("b");
  EXPECT_TRUE(WaitForCompleted(2));
}

TEST_F(WorkerAgentTest, LeaseThatComesBeforeTheAnswerToTheLastResultIsTaken) {
  // The coordinator grants the next lease when it has taken a result, which the worker learns later.
  coordinator_.on_complete = [&](const std::string& lease_id) {
    if (lease_id != "a") return;
    coordinator_.SendLease("b");
    // Until the worker has dealt with it, one way or the other.
    coordinator_.WaitFor([&] {
      if (!coordinator_.released.empty()) return true;
      if (coordinator_.heartbeats.empty()) return false;
      for (const auto& progress : coordinator_.heartbeats.back().running()) {
        if (progress.token().lease_id() == "b") return true;
      }
      return false;
    });
  };
  StartAgent();
  coordinator_.SendLease("a");
  ASSERT_TRUE(WaitForCompleted(2));
  EXPECT_THAT(coordinator_.released, IsEmpty());
}

TEST_F(WorkerAgentTest, FailureIsReportedWithItsKindAndReason) {
  execute_ = [](const v1::Task&, const TaskEnvironment&) {
    return MakeError(Reason::kNumericalFailure, "damping exhausted");
  };
  StartAgent();
  coordinator_.SendLease("a");
  ASSERT_TRUE(coordinator_.WaitFor([&] { return coordinator_.failed.size() == 1; }));
  EXPECT_EQ(coordinator_.failed[0].kind(), v1::FAILURE_KIND_NUMERICAL);
  EXPECT_EQ(coordinator_.failed[0].message(), "NUMERICAL_FAILURE: damping exhausted");
}

TEST_F(WorkerAgentTest, CancelledAttemptStopsAndReportsNothing) {
  absl::Notification running;
  execute_ = [&](const v1::Task& task, const TaskEnvironment& environment) -> absl::StatusOr<v1::TaskResult> {
    if (task.id() == "b") return v1::TaskResult();
    running.Notify();
    return RunUntilCancelled(environment);
  };
  StartAgent();
  coordinator_.SendLease("a");
  running.WaitForNotification();
  coordinator_.SendCancel("a");
  // The slot is free again.
  coordinator_.SendLease("b");
  ASSERT_TRUE(WaitForCompleted(1));
  EXPECT_EQ(coordinator_.completed[0].token().lease_id(), "b");
  EXPECT_THAT(coordinator_.failed, IsEmpty());
  EXPECT_THAT(coordinator_.released, IsEmpty());
}

TEST_F(WorkerAgentTest, LostSessionEndsItsLeasesAndIsOpenedAgain) {
  absl::Notification running;
  execute_ = [&](const v1::Task& task, const TaskEnvironment& environment) -> absl::StatusOr<v1::TaskResult> {
    if (task.id() == "b") return v1::TaskResult();
    running.Notify();
    return RunUntilCancelled(environment);
  };
  StartAgent();
  coordinator_.SendLease("a");
  running.WaitForNotification();
  coordinator_.BreakSession();
  ASSERT_TRUE(coordinator_.WaitFor([&] { return coordinator_.hellos.size() == 2; }));
  coordinator_.SendLease("b");
  ASSERT_TRUE(WaitForCompleted(1));
  EXPECT_EQ(coordinator_.completed[0].token().lease_id(), "b");
  EXPECT_THAT(coordinator_.released, IsEmpty());
}

TEST_F(WorkerAgentTest, SilenceOfThreeQuartersOfTheTimeToLiveEndsTheLeases) {
  absl::Notification running;
  execute_ = [&](const v1::Task&, const TaskEnvironment& environment) {
    running.Notify();
    return RunUntilCancelled(environment);
  };
  coordinator_.answer_heartbeats = false;
  StartAgent();
  coordinator_.SendLease("a");
  running.WaitForNotification();
  clock_.Advance(absl::Seconds(14));
  // Some checks later it still holds the lease.
  std::size_t first = 0;
  ASSERT_TRUE(coordinator_.WaitFor([&] {
    if (first == 0) first = coordinator_.heartbeats.size() + 1;
    return coordinator_.heartbeats.size() >= first + 3;
  }));
  EXPECT_EQ(coordinator_.hellos.size(), 1u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(coordinator_.WaitFor([&] { return coordinator_.hellos.size() == 2; }));
  EXPECT_THAT(coordinator_.failed, IsEmpty());
}

TEST_F(WorkerAgentTest, HeartbeatsNameRunningLeasesAndTheirProgress) {
  absl::Notification finish;
  execute_ = [&](const v1::Task&, const TaskEnvironment& environment) {
    environment.progress("gptq layer 3", 0.25);
    finish.WaitForNotification();
    return v1::TaskResult();
  };
  StartAgent();
  coordinator_.SendLease("a");
  EXPECT_TRUE(coordinator_.WaitFor([&] {
    if (coordinator_.heartbeats.empty() || coordinator_.heartbeats.back().running_size() != 1) return false;
    const v1::TaskProgress& progress = coordinator_.heartbeats.back().running(0);
    return progress.token().lease_id() == "a" && progress.activity() == "gptq layer 3" &&
           progress.fraction() == 0.25 && coordinator_.heartbeats.back().rss_bytes() > 1 << 20;
  }));
  finish.Notify();
  ASSERT_TRUE(WaitForCompleted(1));
  EXPECT_TRUE(coordinator_.WaitFor([&] { return coordinator_.heartbeats.back().running_size() == 0; }));
}

TEST_F(WorkerAgentTest, LostAnswersAreAskedForAgain) {
  coordinator_.complete_outcomes = {grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"),
                                    grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "late")};
  StartAgent();
  coordinator_.SendLease("a");
  EXPECT_TRUE(WaitForCompleted(3));
  EXPECT_THAT(coordinator_.failed, IsEmpty());
}

TEST_F(WorkerAgentTest, RefusedResultIsAFailureButAStaleOneIsNot) {
  coordinator_.complete_outcomes = {ToGrpcStatus(MakeError(Reason::kStaleAttempt, "over")),
                                    ToGrpcStatus(MakeError(Reason::kBlobMissing, "no blob"))};
  StartAgent(2);
  coordinator_.SendLease("a");
  ASSERT_TRUE(WaitForCompleted(1));
  coordinator_.SendLease("b");
  ASSERT_TRUE(coordinator_.WaitFor([&] { return coordinator_.failed.size() == 1; }));
  EXPECT_EQ(coordinator_.failed[0].token().lease_id(), "b");
  EXPECT_EQ(coordinator_.failed[0].kind(), v1::FAILURE_KIND_INTERNAL);
}

TEST_F(WorkerAgentTest, DrainFinishesWhatRunsAndRefusesNewLeases) {
  absl::Notification running, finish;
  execute_ = [&](const v1::Task&, const TaskEnvironment&) {
    running.Notify();
    finish.WaitForNotification();
    return v1::TaskResult();
  };
  StartAgent(2);
  coordinator_.SendLease("a");
  running.WaitForNotification();
  std::thread drain([&] { agent_->Drain(absl::InfiniteDuration()); });
  ASSERT_TRUE(coordinator_.WaitFor([&] { return coordinator_.drain_notices == 1; }));
  coordinator_.SendLease("b");
  EXPECT_TRUE(coordinator_.WaitFor([&] { return !coordinator_.released.empty(); }));
  finish.Notify();
  drain.join();
  EXPECT_THAT(coordinator_.released, ElementsAre("b"));
  ASSERT_EQ(coordinator_.completed.size(), 1u);
  EXPECT_EQ(coordinator_.completed[0].token().lease_id(), "a");
}

TEST_F(WorkerAgentTest, DrainThatTakesTooLongGivesTasksBack) {
  absl::Notification running;
  execute_ = [&](const v1::Task&, const TaskEnvironment& environment) {
    running.Notify();
    return RunUntilCancelled(environment);
  };
  StartAgent();
  coordinator_.SendLease("a");
  running.WaitForNotification();
  agent_->Drain(absl::ZeroDuration());
  EXPECT_THAT(coordinator_.released, ElementsAre("a"));
  EXPECT_THAT(coordinator_.failed, IsEmpty());
}

TEST_F(WorkerAgentTest, CoordinatorCanAskTheWorkerToLeave) {
  StartAgent();
  coordinator_.SendDrain();
  EXPECT_TRUE(drain_requested_.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

}  // namespace
}  // namespace heroq
