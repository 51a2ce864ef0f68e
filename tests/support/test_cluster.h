#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/blob/directory_blob_store.h"
#include "common/concurrency/thread_pool.h"
#include "coordinator/planning/planner.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/service/blob_service.h"
#include "coordinator/service/job_api.h"
#include "coordinator/service/job_events.h"
#include "coordinator/service/quantization_service.h"
#include "coordinator/service/worker_service.h"
#include "coordinator/state/coordinator_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_task_executor.h"
#include "tests/support/memory_journal.h"
#include "tests/support/temporary_directory.h"
#include "worker/agent/worker_agent.h"

namespace heroq {

// A coordinator's state, leases and services and any number of workers in this process, over a Unix socket:
// everything but the driver of jobs (planning, assembly) and the numerics. Tests commit plans themselves and
// see tasks run. Time is the test's. Used by one thread.
class TestCluster {
 public:
  explicit TestCluster(bool share_blob_directory);
  // Workers first.
  ~TestCluster();

  // The journal outlives the coordinator: starting again recovers.
  void StartCoordinator();
  void StopCoordinator();
  // With one slot; `before` as in FakeTaskExecutor. It connects soon.
  WorkerAgent& AddWorker(const std::string& worker_id, FakeTaskExecutor::Before before = nullptr);
  // Its session breaks, as when the process is killed.
  void KillWorker(const WorkerAgent& worker);

  // Creates a job and gives it this plan.
  void AddJob(const std::string& job_id, const v1::Plan& plan);
  std::shared_ptr<const JobRecord> Job(const std::string& job_id) const {
    return store().Snapshot()->FindJob(job_id);
  }
  // Blocks until `condition` holds over the committed state; false after 30 s.
  bool WaitFor(const std::function<bool(const CoordinatorState&)>& condition);
  // Until every quantize task of the job is done.
  bool WaitForJob(const std::string& job_id);
  // Moves the clock and lets the coordinator look at it.
  void Advance(absl::Duration duration);

  // What a server does every second for watchers.
  void RefreshWatchers() { coordinator_->events->RefreshAll(); }

  CoordinatorStore& store() const { return *coordinator_->store; }
  LeaseManager& leases() const { return *coordinator_->leases; }
  DirectoryBlobStore& blobs() const { return *blobs_; }
  FakeClock& clock() { return clock_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::QuantizationService::Stub& jobs() const { return *jobs_; }
  v1::WorkerService::Stub& workers() const { return *workers_stub_; }

 private:
  struct Coordinator {
    std::unique_ptr<CoordinatorStore> store;
    std::unique_ptr<JobEvents> events;
    std::unique_ptr<Planner> planner;
    std::unique_ptr<LeaseManager> leases;
    std::unique_ptr<JobApi> api;
    OpenStreams streams;
    std::unique_ptr<ThreadPool> pool;
    std::unique_ptr<BlobServiceContext> blob_context;
    std::unique_ptr<QuantizationService> quantization_service;
    std::unique_ptr<WorkerService> worker_service;
    std::unique_ptr<BlobService> blob_service;
    std::unique_ptr<grpc::Server> server;
  };

  const bool share_blob_directory_;
  TemporaryDirectory directory_;
  FakeClock clock_;
  const std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
  std::unique_ptr<DirectoryBlobStore> blobs_;
  std::unique_ptr<Coordinator> coordinator_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::QuantizationService::Stub> jobs_;
  std::unique_ptr<v1::WorkerService::Stub> workers_stub_;
  std::vector<std::unique_ptr<WorkerAgent>> agents_;
};

}  // namespace heroq
