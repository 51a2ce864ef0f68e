#include "worker/agent/worker_session.h"

#include <gtest/gtest.h>

#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_worker_service.h"
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
  const absl::Status status = WorkerSession(*stub, clock, handler).Run({});
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
  EXPECT_TRUE(absl::IsCancelled(session.Run({})));
}

TEST(WorkerSessionTest, CoordinatorThatIsNotThereIsUnavailable) {
  const auto stub = v1::WorkerService::NewStub(*NewChannel("unix:/nonexistent/socket"));
  FakeClock clock;
  IgnoringHandler handler;
  EXPECT_TRUE(HasReason(WorkerSession(*stub, clock, handler).Run({}), Reason::kUnavailable));
}

}  // namespace
}  // namespace heroq
