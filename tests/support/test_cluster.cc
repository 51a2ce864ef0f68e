#include "tests/support/test_cluster.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/rpc/channel.h"
#include "common/rpc/server_arguments.h"
#include "common/status/error_reason.h"
#include "tests/support/test_plan.h"

namespace heroq {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

}  // namespace

TestCluster::TestCluster(bool share_blob_directory)
    : share_blob_directory_(share_blob_directory),
      blobs_(*DirectoryBlobStore::Open(FileSystem::Posix(), directory_.File("blobs"))) {
  StartCoordinator();
  channel_ = *NewChannel("unix:" + directory_.File("s"));
  jobs_ = v1::QuantizationService::NewStub(channel_);
  workers_stub_ = v1::WorkerService::NewStub(channel_);
}

TestCluster::~TestCluster() {
  agents_.clear();
  StopCoordinator();
}

void TestCluster::StartCoordinator() {
  coordinator_ = std::make_unique<Coordinator>();
  Coordinator& c = *coordinator_;
  c.store = *CoordinatorStore::Open(std::make_unique<MemoryJournal>(log_), clock_);
  c.events = std::make_unique<JobEvents>(*c.store);
  c.planner = std::make_unique<Planner>(FileSystem::Posix(), *blobs_, Roots{{"local", "/"}});
  LeaseOptions options;
  options.heartbeat_interval = absl::Milliseconds(20);
  options.backoff_base = absl::ZeroDuration();
  if (share_blob_directory_) options.blob_directory = blobs_->root();
  c.leases = std::make_unique<LeaseManager>(*c.store, clock_, options);
  c.api = std::make_unique<JobApi>(*c.store, *c.leases, *c.planner, FileSystem::Posix(), clock_, "test");
  c.pool = std::make_unique<ThreadPool>(2);
  c.blob_context.reset(new BlobServiceContext{
      FileSystem::Posix(), *blobs_, *c.pool,
      [&c](const v1::LeaseToken& token) { return c.leases->CheckToken(token); }, clock_});
  c.quantization_service =
      std::make_unique<QuantizationService>(*c.api, *c.leases, *c.events, c.streams, *c.pool, *c.pool);
  c.worker_service = std::make_unique<WorkerService>(*c.store, *c.leases, *blobs_, c.streams, *c.pool);
  c.blob_service = std::make_unique<BlobService>(*c.blob_context);
  grpc::ServerBuilder builder;
  ApplyServerArguments(builder);
  builder.AddListeningPort("unix:" + directory_.File("s"), grpc::InsecureServerCredentials());
  builder.RegisterService(c.quantization_service.get());
  builder.RegisterService(c.worker_service.get());
  builder.RegisterService(c.blob_service.get());
  c.server = builder.BuildAndStart();
  if (c.server == nullptr) std::abort();
}

void TestCluster::StopCoordinator() {
  if (coordinator_ == nullptr) return;
  coordinator_->streams.CloseAll(MakeError(Reason::kUnavailable, "stopping"));
  coordinator_->server->Shutdown();
  coordinator_->server.reset();
  coordinator_->pool.reset();
  coordinator_.reset();
}

WorkerAgent& TestCluster::AddWorker(const std::string& worker_id, FakeTaskExecutor::Before before) {
  WorkerAgentOptions options;
  options.hello.set_worker_id(worker_id);
  options.hello.set_incarnation(worker_id + "-1");
  options.hello.set_numeric_class("test class");
  options.hello.set_slots(1);
  options.reconnect = {absl::Milliseconds(5), absl::Milliseconds(20), 2, 0};
  options.report = options.reconnect;
  agents_.push_back(std::make_unique<WorkerAgent>(
      *NewChannel("unix:" + directory_.File("s")),
      [before] { return std::make_unique<FakeTaskExecutor>(before); }, FileSystem::Posix(), clock_,
      [] { return 0.5; }, [] {}, options));
  agents_.back()->Start();
  return *agents_.back();
}

void TestCluster::KillWorker(const WorkerAgent& worker) {
  agents_.erase(std::find_if(agents_.begin(), agents_.end(),
                             [&](const auto& agent) { return agent.get() == &worker; }));
}

void TestCluster::AddJob(const std::string& job_id, const v1::Plan& plan) {
  if (!store().CommitAndWait(CreateUpdate(job_id)).ok()) std::abort();
  if (!store().CommitAndWait(PlanUpdate(job_id, plan)).ok()) std::abort();
}

bool TestCluster::WaitFor(const std::function<bool(const CoordinatorState&)>& condition) {
  absl::Mutex mutex;
  std::shared_ptr<const CoordinatorState> newest = store().Snapshot();
  const int listener =
      store().AddListener([&](const v1::Update&, const std::shared_ptr<const CoordinatorState>& state) {
        absl::MutexLock lock(&mutex);
        newest = state;
      });
  bool holds = false;
  {
    absl::MutexLock lock(&mutex);
    // Between the first look and the listener something may have been committed.
    if (auto snapshot = store().Snapshot(); snapshot->sequence > newest->sequence) newest = snapshot;
    const std::function<bool()> check = [&] { return condition(*newest); };
    holds = mutex.AwaitWithTimeout(absl::Condition(&check, &std::function<bool()>::operator()), kPatience);
  }
  store().RemoveListener(listener);
  return holds;
}

bool TestCluster::WaitForJob(const std::string& job_id) {
  return WaitFor([&](const CoordinatorState& state) {
    const auto job = state.FindJob(job_id);
    return job != nullptr && job->graph != nullptr && job->AllDone(TaskKind::kQuantize);
  });
}

void TestCluster::Advance(absl::Duration duration) {
  clock_.Advance(duration);
  leases().Tick();
}

}  // namespace heroq
