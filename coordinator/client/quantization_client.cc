#include "coordinator/client/quantization_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "grpcpp/client_context.h"

namespace heroq {
namespace {

constexpr absl::Duration kQuick = absl::Seconds(30);
// Reads every header of a model; hundreds of shards may be on a network file system.
constexpr absl::Duration kInspection = absl::Minutes(5);
constexpr int kPageSize = 500;

}  // namespace

QuantizationClient::QuantizationClient(std::shared_ptr<grpc::Channel> channel, std::string address,
                                       Clock& clock)
    : stub_(v1::QuantizationService::NewStub(std::move(channel))),
      address_(std::move(address)),
      clock_(clock) {}

absl::Status QuantizationClient::Finish(const grpc::Status& status) const {
  absl::Status result = FromGrpcStatus(status);
  if (absl::IsUnavailable(result) && HasReason(result, Reason::kUnavailable)) {
    return Annotate(result, absl::StrCat("server ", address_));
  }
  return result;
}

template <typename Request, typename Response>
absl::StatusOr<Response> QuantizationClient::Call(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                               const Request&, Response*),
                                                  const Request& request, absl::Duration timeout) const {
  grpc::ClientContext context;
  if (timeout != absl::InfiniteDuration()) {
    context.set_deadline(absl::ToChronoTime(clock_.Now() + timeout));
  }
  Response response;
  HEROQ_RETURN_IF_ERROR(Finish((stub_.get()->*method)(&context, request, &response)));
  return response;
}

absl::StatusOr<v1::QuantizationJob> QuantizationClient::Create(
    const v1::CreateQuantizationJobRequest& request) {
  return Call(&Stub::CreateQuantizationJob, request, kInspection);
}

absl::StatusOr<v1::QuantizationJob> QuantizationClient::Get(const std::string& name) {
  v1::GetQuantizationJobRequest request;
  request.set_name(name);
  return Call(&Stub::GetQuantizationJob, request, kQuick);
}

absl::StatusOr<std::vector<v1::QuantizationJob>> QuantizationClient::List(
    const std::vector<v1::QuantizationJob::State>& states, int limit) {
  std::vector<v1::QuantizationJob> jobs;
  v1::ListQuantizationJobsRequest request;
  for (const v1::QuantizationJob::State state : states) request.add_states(state);
  do {
    const int left = limit == 0 ? kPageSize : limit - static_cast<int>(jobs.size());
    request.set_page_size(std::min(left, kPageSize));
    HEROQ_ASSIGN_OR_RETURN(v1::ListQuantizationJobsResponse response,
                           Call(&Stub::ListQuantizationJobs, request, kQuick));
    for (v1::QuantizationJob& job : *response.mutable_quantization_jobs()) jobs.push_back(std::move(job));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && (limit == 0 || static_cast<int>(jobs.size()) < limit));
  return jobs;
}

absl::StatusOr<v1::QuantizationJob> QuantizationClient::Cancel(const std::string& name) {
  v1::CancelQuantizationJobRequest request;
  request.set_name(name);
  return Call(&Stub::CancelQuantizationJob, request, kQuick);
}

absl::Status QuantizationClient::Delete(const std::string& name) {
  v1::DeleteQuantizationJobRequest request;
  request.set_name(name);
  return Call(&Stub::DeleteQuantizationJob, request, kQuick).status();
}

absl::StatusOr<v1::PlanQuantizationJobResponse> QuantizationClient::Plan(const v1::JobSpec& spec) {
  v1::PlanQuantizationJobRequest request;
  *request.mutable_spec() = spec;
  return Call(&Stub::PlanQuantizationJob, request, kInspection);
}

absl::StatusOr<v1::ValidateCheckpointResponse> QuantizationClient::Validate(
    const v1::ValidateCheckpointRequest& request) {
  return Call(&Stub::ValidateCheckpoint, request, absl::InfiniteDuration());
}

absl::StatusOr<v1::ServerInfo> QuantizationClient::Info(absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(clock_.Now() + timeout));
  context.set_wait_for_ready(true);
  v1::ServerInfo info;
  const grpc::Status status = stub_->GetServerInfo(&context, v1::GetServerInfoRequest(), &info);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return MakeError(Reason::kUnavailable, absl::StrCat("server ", address_, " does not answer"));
  }
  HEROQ_RETURN_IF_ERROR(Finish(status));
  return info;
}

absl::StatusOr<v1::ListWorkersResponse> QuantizationClient::Workers() {
  return Call(&Stub::ListWorkers, v1::ListWorkersRequest(), kQuick);
}

absl::StatusOr<std::unique_ptr<QuantizationClient>> ConnectTo(const std::string& address, Clock& clock) {
  HEROQ_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, NewChannel(address));
  return std::make_unique<QuantizationClient>(std::move(channel), address, clock);
}

}  // namespace heroq
