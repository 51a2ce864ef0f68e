// Whole jobs: coordinator, workers with LibTorch and everything between, in one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/blob/sha256.h"
#include "common/rpc/call_timeout.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "coordinator/coordinator_server.h"
#include "heroq/v1/quantization_service.grpc.pb.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"
#include "worker/worker_server.h"

namespace heroq {
namespace {

class JobTest : public ::testing::Test {
 protected:
  JobTest() {
    WriteTinyModel(FileSystem::Posix(), directory_.File("model"));
    WriteTokens(FileSystem::Posix(), directory_.File("tokens.safetensors"), 16, 32, TinyModel().vocab);
    StartCoordinator();
  }
  ~JobTest() override { workers_.clear(); }

  void StartCoordinator() {
    CoordinatorOptions options;
    options.listen = {"unix:" + directory_.File("s")};
    options.state_directory = directory_.File("state");
    options.blob_directory = directory_.File("blobs");
    options.roots = {{"local", "/"}};
    options.share_blob_directory = share_blob_directory_;
    options.version = "test";
    auto server = CoordinatorServer::Start(options, FileSystem::Posix(), Clock::System());
    if (!server.ok()) FAIL() << server.status();
    server_ = *std::move(server);
    jobs_ = v1::QuantizationService::NewStub(*NewChannel(server_->addresses()[0]));
  }
  void AddWorkers(int count) {
    for (int i = 0; i < count; ++i) {
      WorkerOptions options;
      options.server = "unix:" + directory_.File("s");
      options.worker_id = "w" + std::to_string(workers_.size());
      auto worker = WorkerServer::Start(options, FileSystem::Posix(), Clock::System(), [] {});
      if (!worker.ok()) FAIL() << worker.status();
      workers_.push_back(*std::move(worker));
    }
  }
  void Create(const std::string& job_id) {
    v1::CreateQuantizationJobRequest request;
    request.set_quantization_job_id(job_id);
    v1::JobSpec& spec = *request.mutable_spec();
    *spec.mutable_model()->mutable_location() = LocalPath(directory_.File("model"));
    *spec.mutable_output()->mutable_location() = LocalPath(directory_.File(job_id));
    *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() =
        LocalPath(directory_.File("tokens.safetensors"));
    spec.mutable_calibration()->set_samples(16);
    spec.mutable_calibration()->set_sequence_length(32);
    spec.mutable_scheme()->set_group_size(32);
    spec.mutable_method()->mutable_gptq();
    grpc::ClientContext context;
    v1::QuantizationJob job;
    const absl::Status status = FromGrpcStatus(jobs_->CreateQuantizationJob(&context, request, &job));
    ASSERT_TRUE(status.ok()) << status;
  }
  // The last state a watch shows, following the job over restarts until `stop` or its end.
  v1::QuantizationJob Watch(
      const std::string& job_id,
      const std::function<bool(const v1::WatchQuantizationJobResponse&)>& stop = nullptr) {
    grpc::ClientContext context;
    SetCallTimeout(context, absl::Seconds(120));
    v1::WatchQuantizationJobRequest request;
    request.set_name("quantizationJobs/" + job_id);
    const auto reader = jobs_->WatchQuantizationJob(&context, request);
    v1::WatchQuantizationJobResponse message;
    v1::QuantizationJob job;
    while (reader->Read(&message)) {
      job = message.job();
      if (stop && stop(message)) context.TryCancel();
    }
    reader->Finish();
    return job;
  }
  // SHA-256 by name of what every run must publish alike: all but the record of this run.
  std::map<std::string, std::string> Published(const std::string& job_id) {
    std::map<std::string, std::string> files;
    const std::vector<std::string> names = *FileSystem::Posix().List(directory_.File(job_id));
    for (const std::string& name : names) {
      const std::string path = JoinPath(directory_.File(job_id), name);
      if (FileSystem::Posix().Stat(path)->is_directory) continue;
      files[name] = Sha256Hex(*ReadFile(FileSystem::Posix(), path));
    }
    return files;
  }

  bool share_blob_directory_ = false;
  TemporaryDirectory directory_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<v1::QuantizationService::Stub> jobs_;
  std::vector<std::unique_ptr<WorkerServer>> workers_;
};

TEST_F(JobTest, PublishesTheSameBytesWithOneWorkerOverGrpcAndWithThreeThatShareFiles) {
  AddWorkers(1);
  Create("one");
  const v1::QuantizationJob one = Watch("one");
  ASSERT_EQ(one.state(), v1::QuantizationJob::STATE_SUCCEEDED) << one.ShortDebugString();
  EXPECT_EQ(one.phase(), v1::QuantizationJob::PHASE_PUBLISHED);
  workers_.clear();
  server_.reset();
  share_blob_directory_ = true;
  StartCoordinator();
  AddWorkers(3);
  Create("three");
  const v1::QuantizationJob three = Watch("three");
  ASSERT_EQ(three.state(), v1::QuantizationJob::STATE_SUCCEEDED) << three.ShortDebugString();
  const auto files = Published("one");
  EXPECT_EQ(files.count("model.safetensors"), 1u);
  EXPECT_EQ(files.count("MANIFEST.json"), 1u);
  EXPECT_EQ(files, Published("three"));
}

TEST_F(JobTest, GoesOnAfterTheCoordinatorAndAWorkerAreReplaced) {
  AddWorkers(2);
  Create("calm");
  ASSERT_EQ(Watch("calm").state(), v1::QuantizationJob::STATE_SUCCEEDED);
  Create("stormy");
  Watch("stormy", [](const auto& message) { return message.event().kind() == "task_completed"; });
  workers_.erase(workers_.begin());
  server_.reset();
  StartCoordinator();
  AddWorkers(1);
  const v1::QuantizationJob job = Watch("stormy");
  ASSERT_EQ(job.state(), v1::QuantizationJob::STATE_SUCCEEDED) << job.ShortDebugString();
  EXPECT_EQ(Published("calm"), Published("stormy"));
}

}  // namespace
}  // namespace heroq
