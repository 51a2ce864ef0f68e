#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/time/clock.h"
#include "grpcpp/channel.h"
#include "heroq/v1/quantization_service.grpc.pb.h"

namespace heroq {

// Blocking calls of QuantizationService with deadlines and heroq's errors. Thread-safe.
class QuantizationClient {
 public:
  // `clock` outlives it.
  QuantizationClient(std::shared_ptr<grpc::Channel> channel, std::string address, Clock& clock);

  absl::StatusOr<v1::QuantizationJob> Create(const v1::CreateQuantizationJobRequest& request);
  absl::StatusOr<v1::QuantizationJob> Get(const std::string& name);
  // Follows pages until `limit` jobs (0: all).
  absl::StatusOr<std::vector<v1::QuantizationJob>> List(const std::vector<v1::QuantizationJob::State>& states,
                                                        int limit);
  absl::StatusOr<v1::QuantizationJob> Cancel(const std::string& name);
  absl::Status Delete(const std::string& name);
  absl::StatusOr<v1::PlanQuantizationJobResponse> Plan(const v1::JobSpec& spec);
  // Reads whole checkpoints: no deadline.
  absl::StatusOr<v1::ValidateCheckpointResponse> Validate(const v1::ValidateCheckpointRequest& request);
  // Waits up to `timeout` for the connection: also how a client learns that a starting server answers.
  absl::StatusOr<v1::ServerInfo> Info(absl::Duration timeout);
  absl::StatusOr<v1::ListWorkersResponse> Workers();

  v1::QuantizationService::StubInterface& stub() { return *stub_; }
  const std::string& address() const { return address_; }

 private:
  using Stub = v1::QuantizationService::Stub;

  absl::Status Finish(const grpc::Status& status) const;
  // One unary call; without an end at an infinite `timeout`.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, absl::Duration timeout) const;

  const std::unique_ptr<Stub> stub_;
  const std::string address_;
  Clock& clock_;
};

// A client of "HOST:PORT" or "unix:PATH". INVALID_SPEC for a malformed address.
absl::StatusOr<std::unique_ptr<QuantizationClient>> ConnectTo(const std::string& address, Clock& clock);

}  // namespace heroq
