// Workers and coordinator over real sockets: what happens to leases when either side goes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/blob/digest_proto.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/test_cluster.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

using ::testing::IsEmpty;

// Runs until it is told to stop.
absl::Status RunUntilCancelled(const TaskEnvironment& environment) {
  while (!environment.cancellation.cancelled()) std::this_thread::yield();
  return environment.cancellation.Check();
}

std::map<std::string, std::string> UnitDigests(const JobRecord& job) {
  std::map<std::string, std::string> digests;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    if (job.graph->nodes()[i].kind != TaskKind::kQuantize) continue;
    digests[job.graph->nodes()[i].id] = job.tasks[i].result->outputs(0).digest().sha256();
  }
  return digests;
}

const TaskRecord& TaskOf(const JobRecord& job, const std::string& id) {
  return job.tasks[*job.graph->Find(id)];
}

// With blobs in a shared directory, and over gRPC.
class LeaseProtocolTest : public ::testing::TestWithParam<bool> {
 protected:
  TestCluster cluster_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Blobs, LeaseProtocolTest, ::testing::Values(true, false),
                         [](const auto& parameter) { return parameter.param ? "Shared" : "Remote"; });

TEST_P(LeaseProtocolTest, JobRunsThroughOnTwoWorkersAndEveryBlobIsStored) {
  cluster_.AddWorker("w1");
  cluster_.AddWorker("w2");
  cluster_.AddJob("j", TestPlan());
  ASSERT_TRUE(cluster_.WaitForJob("j"));
  const auto job = cluster_.Job("j");
  for (const TaskRecord& task : job->tasks) {
    ASSERT_EQ(task.state, TaskState::kDone);
    // Nobody was offered more than it could take.
    EXPECT_EQ(task.attempts, 1);
    for (const auto& output : task.result->outputs()) {
      EXPECT_TRUE(cluster_.blobs().Get(DigestFromProto(output.digest())).ok());
    }
  }
}

TEST_P(LeaseProtocolTest, TaskOfAKilledWorkerIsDoneByAnother) {
  absl::Notification running;
  WorkerAgent& first = cluster_.AddWorker("w1", [&](const v1::Task&, const TaskEnvironment& environment) {
    if (!running.HasBeenNotified()) running.Notify();
    return RunUntilCancelled(environment);
  });
  cluster_.AddJob("j", TestPlan());
  running.WaitForNotification();
  cluster_.KillWorker(first);
  cluster_.AddWorker("w2");
  ASSERT_TRUE(
      cluster_.WaitFor([](const CoordinatorState& state) { return state.FindJob("j")->leases.empty(); }));
  cluster_.Advance(absl::Seconds(1));
  ASSERT_TRUE(cluster_.WaitForJob("j"));
  int losses = 0;
  for (const TaskRecord& task : cluster_.Job("j")->tasks) losses += task.losses;
  EXPECT_GT(losses, 0);
}

TEST_P(LeaseProtocolTest, CancelledJobStopsItsTasks) {
  absl::Notification running;
  std::atomic<int> stopped{0};
  cluster_.AddWorker("w1", [&](const v1::Task&, const TaskEnvironment& environment) {
    if (!running.HasBeenNotified()) running.Notify();
    const absl::Status status = RunUntilCancelled(environment);
    ++stopped;
    return status;
  });
  cluster_.AddJob("j", TestPlan());
  running.WaitForNotification();
  grpc::ClientContext context;
  v1::CancelQuantizationJobRequest request;
  request.set_name("quantizationJobs/j");
  v1::QuantizationJob job;
  ASSERT_TRUE(cluster_.jobs().CancelQuantizationJob(&context, request, &job).ok());
  EXPECT_EQ(job.state(), v1::QuantizationJob::STATE_CANCELLING);
  while (stopped == 0) std::this_thread::yield();
  EXPECT_THAT(cluster_.Job("j")->leases, IsEmpty());
}

TEST_P(LeaseProtocolTest, RestartedCoordinatorGoesOnWithoutRepeatingWhatIsDone) {
  // Stops at the first quantize task, when captures are done.
  std::atomic<bool> blocked{true};
  absl::Notification at_quantize;
  cluster_.AddWorker("w1", [&](const v1::Task& task, const TaskEnvironment& environment) {
    if (!task.has_quantize() || !blocked) return absl::OkStatus();
    if (!at_quantize.HasBeenNotified()) at_quantize.Notify();
    return RunUntilCancelled(environment);
  });
  cluster_.AddJob("j", TestPlan());
  at_quantize.WaitForNotification();
  std::map<std::string, int> attempts_before;
  for (std::size_t i = 0; i < cluster_.Job("j")->tasks.size(); ++i) {
    const auto job = cluster_.Job("j");
    if (job->tasks[i].state == TaskState::kDone)
      attempts_before[job->graph->nodes()[i].id] = job->tasks[i].attempts;
  }
  const int64_t epoch = cluster_.store().epoch();
  cluster_.StopCoordinator();
  blocked = false;
  cluster_.StartCoordinator();
  EXPECT_EQ(cluster_.store().epoch(), epoch + 1);
  ASSERT_TRUE(cluster_.WaitForJob("j"));
  const auto job = cluster_.Job("j");
  EXPECT_FALSE(attempts_before.empty());
  for (const auto& [id, attempts] : attempts_before) EXPECT_EQ(TaskOf(*job, id).attempts, attempts) << id;
  for (const TaskRecord& task : job->tasks) EXPECT_EQ(task.losses, 0);
}

TEST_P(LeaseProtocolTest, ResultsAreTheSameWithOneWorkerAndWithThree) {
  cluster_.AddJob("one", TestPlan());
  WorkerAgent& alone = cluster_.AddWorker("w0");
  ASSERT_TRUE(cluster_.WaitForJob("one"));
  cluster_.KillWorker(alone);
  for (const char* id : {"w1", "w2", "w3"}) cluster_.AddWorker(id);
  cluster_.AddJob("three", TestPlan());
  ASSERT_TRUE(cluster_.WaitForJob("three"));
  EXPECT_EQ(UnitDigests(*cluster_.Job("one")), UnitDigests(*cluster_.Job("three")));
}

class LateWorkerTest : public ::testing::Test {
 protected:
  // A lease as a worker got it, whose session is over by now.
  v1::LeaseToken LostLease() {
    v1::LeaseToken token;
    {
      grpc::ClientContext context;
      const auto session = cluster_.workers().Session(&context);
      v1::SessionRequest hello;
      hello.mutable_hello()->set_worker_id("late");
      hello.mutable_hello()->set_incarnation("late-1");
      hello.mutable_hello()->set_numeric_class("test class");
      hello.mutable_hello()->set_slots(1);
      session->Write(hello);
      v1::SessionResponse response;
      while (session->Read(&response) && !response.has_lease()) {
      }
      task_ = response.lease().task();
      token = response.lease().token();
      session->WritesDone();
      EXPECT_TRUE(session->Finish().ok());
    }
    EXPECT_TRUE(
        cluster_.WaitFor([](const CoordinatorState& state) { return state.FindJob("j")->leases.empty(); }));
    return token;
  }

  TestCluster cluster_{true};
  v1::Task task_;
};

TEST_F(LateWorkerTest, StaleTokenChangesNothing) {
  cluster_.AddJob("j", TestPlan());
  const v1::LeaseToken token = LostLease();
  const int64_t sequence = cluster_.store().Snapshot()->sequence;

  v1::CompleteTaskRequest complete;
  *complete.mutable_token() = token;
  *complete.mutable_result() = TestResult(task_, 4);
  grpc::ClientContext complete_context;
  v1::CompleteTaskResponse completed;
  EXPECT_TRUE(
      HasReason(FromGrpcStatus(cluster_.workers().CompleteTask(&complete_context, complete, &completed)),
                Reason::kStaleAttempt));

  v1::FailTaskRequest fail;
  *fail.mutable_token() = token;
  fail.set_kind(v1::FAILURE_KIND_NUMERICAL);
  grpc::ClientContext fail_context;
  v1::FailTaskResponse failed;
  EXPECT_TRUE(HasReason(FromGrpcStatus(cluster_.workers().FailTask(&fail_context, fail, &failed)),
                        Reason::kStaleAttempt));

  v1::ReleaseTaskRequest release;
  *release.mutable_token() = token;
  grpc::ClientContext release_context;
  v1::ReleaseTaskResponse released;
  EXPECT_TRUE(HasReason(FromGrpcStatus(cluster_.workers().ReleaseTask(&release_context, release, &released)),
                        Reason::kStaleAttempt));
  EXPECT_EQ(cluster_.store().Snapshot()->sequence, sequence);
}

TEST_F(LateWorkerTest, UploadWithAStaleTokenIsRefused) {
  cluster_.AddJob("j", TestPlan());
  const v1::LeaseToken token = LostLease();
  const auto blobs = v1::BlobService::NewStub(cluster_.channel());
  grpc::ClientContext context;
  v1::WriteBlobResponse response;
  const auto writer = blobs->WriteBlob(&context, &response);
  v1::WriteBlobRequest header;
  *header.mutable_digest() = DigestToProto(DigestOf("late bytes"));
  *header.mutable_token() = token;
  writer->Write(header);
  writer->WritesDone();
  EXPECT_TRUE(HasReason(FromGrpcStatus(writer->Finish()), Reason::kStaleAttempt));
}

TEST_F(LateWorkerTest, SessionMustBeginWithItsHello) {
  grpc::ClientContext context;
  const auto session = cluster_.workers().Session(&context);
  v1::SessionRequest heartbeat;
  heartbeat.mutable_heartbeat();
  session->Write(heartbeat);
  v1::SessionResponse response;
  EXPECT_FALSE(session->Read(&response));
  EXPECT_TRUE(HasReason(FromGrpcStatus(session->Finish()), Reason::kInvalidSpec));
}

}  // namespace
}  // namespace heroq
