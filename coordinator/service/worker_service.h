#pragma once

#include "common/blob/directory_blob_store.h"
#include "common/concurrency/thread_pool.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/service/open_streams.h"
#include "coordinator/state/coordinator_store.h"
#include "heroq/v1/worker_service.grpc.pb.h"

namespace heroq {

// Sessions and results of workers, translated to LeaseManager. A result is taken only when the store holds
// every blob it names (BLOB_MISSING otherwise); a failure over a lost input is looked into before it counts
// (coordinator/state/lost_results.h). Thread-safe; references outlive the server.
class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  WorkerService(CoordinatorStore& store, LeaseManager& leases, DirectoryBlobStore& blobs,
                OpenStreams& streams, ThreadPool& pool)
      : store_(store), leases_(leases), blobs_(blobs), streams_(streams), pool_(pool) {}

  grpc::ServerBidiReactor<v1::SessionRequest, v1::SessionResponse>* Session(
      grpc::CallbackServerContext* call) override;
  grpc::ServerUnaryReactor* CompleteTask(grpc::CallbackServerContext* call,
                                         const v1::CompleteTaskRequest* request,
                                         v1::CompleteTaskResponse* response) override;
  grpc::ServerUnaryReactor* FailTask(grpc::CallbackServerContext* call, const v1::FailTaskRequest* request,
                                     v1::FailTaskResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseTask(grpc::CallbackServerContext* call,
                                        const v1::ReleaseTaskRequest* request,
                                        v1::ReleaseTaskResponse* response) override;

 private:
  absl::Status CheckBlobs(const v1::TaskResult& result);

  CoordinatorStore& store_;
  LeaseManager& leases_;
  DirectoryBlobStore& blobs_;
  OpenStreams& streams_;
  ThreadPool& pool_;
};

}  // namespace heroq
