#include "worker/agent/worker_session.h"

#include <gtest/gtest.h>

#include <thread>

#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_worker_service.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_server.h"

namespace heroq {
namespace {

class IgnoringHandler final : public WorkerSessionHandler {
 public:
  void OnWelcome(const v1::SessionWelcome&) override {}
  void OnLease(const v1::Lease&) override {}
  void OnCancel(const v1::LeaseToken&) override {}
  void OnDrain() override {}
  void OnFenced() override {}
  v1::WorkerHeartbeat MakeHeartbeat() override { return {}; }
};

TEST(WorkerSessionTest, EndsWithWhatTheCoordinatorSays) {
  FakeWorkerService coordinator;
  coordinator.session_refusal = ToGrpcStatus(MakeError(Reason::kInvalidSpec, "a worker needs slots"));
  TestServer server({&coordinator});
  const auto stub = v1::WorkerService::NewStub(server.channel());
  FakeClock clock;
  IgnoringHandler handler;
  const absl::Status status = WorkerSession(*stub, clock, handler).Run({}, WorkerSession::Unreachable::kFail);
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  EXPECT_EQ(status.message(), "a worker needs slots");
}

TEST(WorkerSessionTest, CancelledBeforeItRunsItEndsAtOnce) {
  FakeWorkerService coordinator;
  TestServer server({&coordinator});
  const auto stub = v1::WorkerService::NewStub(server.channel());
  FakeClock clock;
  IgnoringHandler handler;
  WorkerSession session(*stub, clock, handler);
  session.Cancel();
  EXPECT_TRUE(absl::IsCancelled(session.Run({}, WorkerSession::Unreachable::kFail)));
}

TEST(WorkerSessionTest, CoordinatorThatIsNotThereIsUnavailable) {
  const auto stub = v1::WorkerService::NewStub(*NewChannel("unix:/nonexistent/socket"));
  FakeClock clock;
  IgnoringHandler handler;
  EXPECT_TRUE(HasReason(WorkerSession(*stub, clock, handler).Run({}, WorkerSession::Unreachable::kFail),
                        Reason::kUnavailable));
}

TEST(WorkerSessionTest, WaitsForACoordinatorThatComesLater) {
  const TemporaryDirectory directory;
  const std::string address = "unix:" + directory.File("s");
  const auto stub = v1::WorkerService::NewStub(*NewChannel(address));
  FakeClock clock;
  IgnoringHandler handler;
  const absl::Status failed = WorkerSession(*stub, clock, handler).Run({}, WorkerSession::Unreachable::kFail);
  EXPECT_TRUE(HasReason(failed, Reason::kUnavailable)) << "the connection knows now that nobody is there";
  WorkerSession session(*stub, clock, handler);
  absl::Status ended;
  std::thread runner([&] { ended = session.Run({}, WorkerSession::Unreachable::kWait); });
  FakeWorkerService coordinator;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&coordinator);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  EXPECT_TRUE(coordinator.WaitFor([&] { return coordinator.hellos.size() == 1; }));
  session.Cancel();
  runner.join();
  EXPECT_TRUE(absl::IsCancelled(ended)) << ended;
}

}  // namespace
}  // namespace heroq
