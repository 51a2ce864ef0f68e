// A whole coordinator in this process, seen through its sockets.
#include "coordinator/coordinator_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "common/rpc/call_timeout.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "heroq/v1/quantization_service.grpc.pb.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CoordinatorServerTest : public ::testing::Test {
 protected:
  CoordinatorOptions Options() {
    CoordinatorOptions options;
    options.listen = {"unix:" + directory_.File("s"), "127.0.0.1:0"};
    options.state_directory = directory_.File("state");
    options.blob_directory = directory_.File("blobs");
    options.roots = {{"local", "/"}};
    options.admin_listen = "127.0.0.1:0";
    options.version = "1.2.3";
    return options;
  }
  void Start() {
    auto server = CoordinatorServer::Start(Options(), FileSystem::Posix(), Clock::System());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = *NewChannel(server_->addresses()[0]);
    jobs_ = v1::QuantizationService::NewStub(channel_);
  }
  // A spec that needs no calibration.
  v1::JobSpec Spec(const std::string& output) {
    if (!FileSystem::Posix().Exists(directory_.File("model"))) {
      WriteTinyModel(FileSystem::Posix(), directory_.File("model"));
    }
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath(directory_.File("model"));
    *spec.mutable_output()->mutable_location() = LocalPath(directory_.File(output));
    spec.mutable_scheme()->set_group_size(32);
    spec.mutable_method()->mutable_rtn();
    return spec;
  }
  absl::StatusOr<v1::QuantizationJob> Create(const v1::CreateQuantizationJobRequest& request) {
    grpc::ClientContext context;
    v1::QuantizationJob job;
    const absl::Status status = FromGrpcStatus(jobs_->CreateQuantizationJob(&context, request, &job));
    if (!status.ok()) return status;
    return job;
  }
  absl::StatusOr<v1::QuantizationJob> Create(const v1::JobSpec& spec, const std::string& id = "",
                                             const std::string& request_id = "") {
    v1::CreateQuantizationJobRequest request;
    *request.mutable_spec() = spec;
    request.set_quantization_job_id(id);
    request.set_request_id(request_id);
    return Create(request);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<CoordinatorServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::QuantizationService::Stub> jobs_;
};

TEST_F(CoordinatorServerTest, ListensOnEveryAddressAndTellsPorts) {
  Start();
  ASSERT_EQ(server_->addresses().size(), 2u);
  EXPECT_EQ(server_->addresses()[0], "unix:" + directory_.File("s"));
  EXPECT_THAT(server_->addresses()[1], testing::Not(testing::EndsWith(":0")));
  for (const std::string& address : server_->addresses()) {
    const auto stub = v1::QuantizationService::NewStub(*NewChannel(address));
    grpc::ClientContext context;
    v1::ServerInfo info;
    ASSERT_TRUE(stub->GetServerInfo(&context, {}, &info).ok()) << address;
    EXPECT_EQ(info.version(), "1.2.3");
    EXPECT_THAT(info.roots(), ElementsAre("local"));
  }
  struct stat socket;
  ASSERT_EQ(::stat(directory_.File("s").c_str(), &socket), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0600u);
}

TEST_F(CoordinatorServerTest, PlaintextBeyondThisMachineIsRefused) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "example.org:0"}) {
    CoordinatorOptions options = Options();
    options.listen = {address};
    const auto server = CoordinatorServer::Start(options, FileSystem::Posix(), Clock::System());
    EXPECT_TRUE(HasReason(server.status(), Reason::kUnsupported)) << address << " " << server.status();
    options = Options();
    options.admin_listen = address;
    EXPECT_FALSE(CoordinatorServer::Start(options, FileSystem::Posix(), Clock::System()).ok()) << address;
  }
}

TEST_F(CoordinatorServerTest, SecondCoordinatorOnTheSameStateIsRefused) {
  Start();
  CoordinatorOptions options = Options();
  options.listen = {"127.0.0.1:0"};
  const auto second = CoordinatorServer::Start(options, FileSystem::Posix(), Clock::System());
  EXPECT_TRUE(HasReason(second.status(), Reason::kOutputInUse)) << second.status();
}

TEST_F(CoordinatorServerTest, PortThatIsTakenIsRefused) {
  Start();
  CoordinatorOptions options = Options();
  options.listen = {server_->addresses()[1]};
  options.state_directory = directory_.File("other");
  const auto second = CoordinatorServer::Start(options, FileSystem::Posix(), Clock::System());
  EXPECT_TRUE(HasReason(second.status(), Reason::kUnavailable)) << second.status();
}

TEST_F(CoordinatorServerTest, HealthServiceSaysServing) {
  Start();
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  // HealthCheckRequest{service: ""} asks for the whole server.
  const grpc::Slice request(std::string("\x0a\x00", 2));
  const grpc::ByteBuffer message(&request, 1);
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", message, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  grpc::Slice bytes;
  ASSERT_TRUE(answer.DumpToSingleSlice(&bytes).ok());
  // Field 1, the enum, is SERVING = 1.
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), std::string("\x08\x01"));
}

TEST_F(CoordinatorServerTest, AdminPagesTellLifeReadinessAndMetrics) {
  Start();
  ASSERT_TRUE(Create(Spec("out"), "j").ok());
  httplib::Client client("127.0.0.1", server_->admin_port());
  EXPECT_EQ(client.Get("/livez")->status, 200);
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  EXPECT_EQ(client.Get("/other")->status, 404);
  EXPECT_EQ(client.Post("/metrics")->status, 404);
  const std::string metrics = client.Get("/metrics")->body;
  EXPECT_THAT(metrics, HasSubstr("heroq_build_info{version=\"1.2.3\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("heroq_workers 0"));
  EXPECT_THAT(metrics, HasSubstr("heroq_jobs{state=\"cancelled\"} 0"));
  EXPECT_THAT(metrics,
              HasSubstr("heroq_rpc_duration_seconds_count{code=\"OK\",method=\"/heroq.v1.QuantizationService/"
                        "CreateQuantizationJob\"} 1"));
}

TEST_F(CoordinatorServerTest, RepeatedRequestReturnsTheFirstJob) {
  Start();
  const auto first = Create(Spec("out"), "", "request-1");
  ASSERT_TRUE(first.ok()) << first.status();
  // The driver may have planned it already.
  EXPECT_THAT(first->state(),
              testing::AnyOf(v1::QuantizationJob::STATE_QUEUED, v1::QuantizationJob::STATE_RUNNING));
  const auto again = Create(Spec("out"), "", "request-1");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->name(), first->name());
  EXPECT_TRUE(HasReason(Create(Spec("elsewhere"), "", "request-1").status(), Reason::kJobExists));
  // Also by another life of the coordinator.
  server_.reset();
  Start();
  const auto later = Create(Spec("out"), "", "request-1");
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->name(), first->name());
}

TEST_F(CoordinatorServerTest, IdsAndOutputsBelongToOneJob) {
  Start();
  ASSERT_TRUE(Create(Spec("out"), "j").ok());
  EXPECT_TRUE(HasReason(Create(Spec("elsewhere"), "j").status(), Reason::kJobExists));
  EXPECT_TRUE(HasReason(Create(Spec("out"), "k").status(), Reason::kOutputInUse));
  EXPECT_TRUE(HasReason(Create(Spec("elsewhere"), "Not-An-Id").status(), Reason::kInvalidSpec));
  const auto chosen = Create(Spec("elsewhere"));
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_THAT(chosen->name(), testing::StartsWith("quantizationJobs/job-"));
}

TEST_F(CoordinatorServerTest, EveryViolationOfABadSpecIsNamedByField) {
  Start();
  v1::JobSpec spec = Spec("out");
  spec.mutable_scheme()->set_weight_bits(9);
  spec.set_target_tensor_parallel(-1);
  const absl::Status status = Create(spec, "j").status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  const auto metadata = ErrorMetadata(status);
  EXPECT_EQ(metadata.count("field:scheme.weight_bits"), 1u);
  EXPECT_EQ(metadata.count("field:target_tensor_parallel"), 1u);
}

TEST_F(CoordinatorServerTest, ValidateOnlyCreatesNothing) {
  Start();
  v1::CreateQuantizationJobRequest request;
  *request.mutable_spec() = Spec("out");
  request.set_quantization_job_id("j");
  request.set_validate_only(true);
  const auto job = Create(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->spec().scheme().weight_bits(), 4);
  EXPECT_EQ(server_->store().Snapshot()->jobs.size(), 0u);
}

TEST_F(CoordinatorServerTest, PlanCostsNothingAndLeavesHeadersOut) {
  Start();
  grpc::ClientContext context;
  v1::PlanQuantizationJobRequest request;
  *request.mutable_spec() = Spec("out");
  v1::PlanQuantizationJobResponse response;
  ASSERT_TRUE(jobs_->PlanQuantizationJob(&context, request, &response).ok());
  EXPECT_EQ(response.plan().block_count(), 2);
  ASSERT_GT(response.plan().files_size(), 0);
  EXPECT_EQ(response.plan().files(0).header(), "");
  EXPECT_EQ(server_->store().Snapshot()->jobs.size(), 0u);
}

TEST_F(CoordinatorServerTest, JobThatRunsIsNotDeletedAndACancelledOneIs) {
  Start();
  ASSERT_TRUE(Create(Spec("out"), "j").ok());
  v1::DeleteQuantizationJobRequest remove;
  remove.set_name("quantizationJobs/j");
  google::protobuf::Empty empty;
  {
    grpc::ClientContext context;
    EXPECT_TRUE(HasReason(FromGrpcStatus(jobs_->DeleteQuantizationJob(&context, remove, &empty)),
                          Reason::kJobNotTerminal));
  }
  {
    grpc::ClientContext context;
    v1::CancelQuantizationJobRequest cancel;
    cancel.set_name("quantizationJobs/j");
    v1::QuantizationJob job;
    ASSERT_TRUE(jobs_->CancelQuantizationJob(&context, cancel, &job).ok());
  }
  // The watch ends when the job has.
  {
    grpc::ClientContext context;
    SetCallTimeout(context, absl::Seconds(30));
    v1::WatchQuantizationJobRequest watch;
    watch.set_name("quantizationJobs/j");
    const auto reader = jobs_->WatchQuantizationJob(&context, watch);
    v1::WatchQuantizationJobResponse message, last;
    while (reader->Read(&message)) last = message;
    EXPECT_TRUE(reader->Finish().ok());
    EXPECT_EQ(last.job().state(), v1::QuantizationJob::STATE_CANCELLED);
  }
  grpc::ClientContext context;
  EXPECT_TRUE(jobs_->DeleteQuantizationJob(&context, remove, &empty).ok());
  EXPECT_EQ(server_->store().Snapshot()->jobs.size(), 0u);
}

TEST_F(CoordinatorServerTest, PathsOutsideTheRootsAreRefused) {
  Start();
  grpc::ClientContext context;
  v1::ValidateCheckpointRequest request;
  request.mutable_checkpoint()->set_root("nowhere");
  request.mutable_checkpoint()->set_path("x");
  v1::ValidateCheckpointResponse response;
  EXPECT_TRUE(HasReason(FromGrpcStatus(jobs_->ValidateCheckpoint(&context, request, &response)),
                        Reason::kPathNotAllowed));
}

}  // namespace
}  // namespace heroq
