#include "coordinator/service/quantization_service.h"

#include <utility>

#include "common/rpc/unary_reactor.h"
#include "coordinator/service/watch_job_reactor.h"

namespace heroq {
namespace {

template <typename T>
absl::Status Store(absl::StatusOr<T> result, T* response) {
  if (!result.ok()) return result.status();
  *response = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* QuantizationService::CreateQuantizationJob(
    grpc::CallbackServerContext* call, const v1::CreateQuantizationJobRequest* request,
    v1::QuantizationJob* response) {
  return FinishOnPool(call, inspections_, [=, this] { return Store(api_.Create(*request), response); });
}

grpc::ServerUnaryReactor* QuantizationService::GetQuantizationJob(
    grpc::CallbackServerContext* call, const v1::GetQuantizationJobRequest* request,
    v1::QuantizationJob* response) {
  return FinishOnPool(call, requests_, [=, this] { return Store(api_.Get(request->name()), response); });
}

grpc::ServerUnaryReactor* QuantizationService::ListQuantizationJobs(
    grpc::CallbackServerContext* call, const v1::ListQuantizationJobsRequest* request,
    v1::ListQuantizationJobsResponse* response) {
  return FinishOnPool(call, requests_, [=, this] { return Store(api_.List(*request), response); });
}

grpc::ServerWriteReactor<v1::WatchQuantizationJobResponse>* QuantizationService::WatchQuantizationJob(
    grpc::CallbackServerContext*, const v1::WatchQuantizationJobRequest* request) {
  return WatchJobReactor::Start(api_, events_, streams_, requests_, *request);
}

grpc::ServerUnaryReactor* QuantizationService::CancelQuantizationJob(
    grpc::CallbackServerContext* call, const v1::CancelQuantizationJobRequest* request,
    v1::QuantizationJob* response) {
  return FinishOnPool(call, requests_, [=, this] { return Store(api_.Cancel(request->name()), response); });
}

grpc::ServerUnaryReactor* QuantizationService::DeleteQuantizationJob(
    grpc::CallbackServerContext* call, const v1::DeleteQuantizationJobRequest* request,
    google::protobuf::Empty*) {
  return FinishOnPool(call, requests_, [=, this] { return api_.Delete(request->name()); });
}

grpc::ServerUnaryReactor* QuantizationService::PlanQuantizationJob(
    grpc::CallbackServerContext* call, const v1::PlanQuantizationJobRequest* request,
    v1::PlanQuantizationJobResponse* response) {
  return FinishOnPool(call, inspections_, [=, this] { return Store(api_.Plan(request->spec()), response); });
}

grpc::ServerUnaryReactor* QuantizationService::ValidateCheckpoint(
    grpc::CallbackServerContext* call, const v1::ValidateCheckpointRequest* request,
    v1::ValidateCheckpointResponse* response) {
  return FinishOnPool(call, inspections_, [=, this] { return Store(api_.Validate(*request), response); });
}

grpc::ServerUnaryReactor* QuantizationService::GetServerInfo(grpc::CallbackServerContext* call,
                                                             const v1::GetServerInfoRequest*,
                                                             v1::ServerInfo* response) {
  *response = api_.Info();
  return FinishNow(call, absl::OkStatus());
}

grpc::ServerUnaryReactor* QuantizationService::ListWorkers(grpc::CallbackServerContext* call,
                                                           const v1::ListWorkersRequest*,
                                                           v1::ListWorkersResponse* response) {
  for (v1::Worker& worker : leases_.Workers()) *response->add_workers() = std::move(worker);
  return FinishNow(call, absl::OkStatus());
}

}  // namespace heroq
