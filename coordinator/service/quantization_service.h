#pragma once

#include "common/concurrency/thread_pool.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/service/job_api.h"
#include "coordinator/service/job_events.h"
#include "coordinator/service/open_streams.h"
#include "heroq/v1/quantization_service.grpc.pb.h"

namespace heroq {

// The users' API: JobApi over gRPC. Thread-safe; references outlive the server.
class QuantizationService final : public v1::QuantizationService::CallbackService {
 public:
  // What reads models and checkpoints runs on `inspections`, so that it cannot hold up the rest on
  // `requests`.
  QuantizationService(JobApi& api, LeaseManager& leases, JobEvents& events, OpenStreams& streams,
                      ThreadPool& requests, ThreadPool& inspections)
      : api_(api),
        leases_(leases),
        events_(events),
        streams_(streams),
        requests_(requests),
        inspections_(inspections) {}

  grpc::ServerUnaryReactor* CreateQuantizationJob(grpc::CallbackServerContext* call,
                                                  const v1::CreateQuantizationJobRequest* request,
                                                  v1::QuantizationJob* response) override;
  grpc::ServerUnaryReactor* GetQuantizationJob(grpc::CallbackServerContext* call,
                                               const v1::GetQuantizationJobRequest* request,
                                               v1::QuantizationJob* response) override;
  grpc::ServerUnaryReactor* ListQuantizationJobs(grpc::CallbackServerContext* call,
                                                 const v1::ListQuantizationJobsRequest* request,
                                                 v1::ListQuantizationJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchQuantizationJobResponse>* WatchQuantizationJob(
      grpc::CallbackServerContext* call, const v1::WatchQuantizationJobRequest* request) override;
  grpc::ServerUnaryReactor* CancelQuantizationJob(grpc::CallbackServerContext* call,
                                                  const v1::CancelQuantizationJobRequest* request,
                                                  v1::QuantizationJob* response) override;
  grpc::ServerUnaryReactor* DeleteQuantizationJob(grpc::CallbackServerContext* call,
                                                  const v1::DeleteQuantizationJobRequest* request,
                                                  google::protobuf::Empty* response) override;
  grpc::ServerUnaryReactor* PlanQuantizationJob(grpc::CallbackServerContext* call,
                                                const v1::PlanQuantizationJobRequest* request,
                                                v1::PlanQuantizationJobResponse* response) override;
  grpc::ServerUnaryReactor* ValidateCheckpoint(grpc::CallbackServerContext* call,
                                               const v1::ValidateCheckpointRequest* request,
                                               v1::ValidateCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* call,
                                          const v1::GetServerInfoRequest* request,
                                          v1::ServerInfo* response) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* call,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;

 private:
  JobApi& api_;
  LeaseManager& leases_;
  JobEvents& events_;
  OpenStreams& streams_;
  ThreadPool& requests_;
  ThreadPool& inspections_;
};

}  // namespace heroq
