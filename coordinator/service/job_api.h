#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/planning/planner.h"
#include "coordinator/scheduling/lease_manager.h"
#include "coordinator/state/coordinator_store.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// What users can do, without gRPC: QuantizationService translates to this. Blocking unless said otherwise.
// Thread-safe.
class JobApi {
 public:
  JobApi(CoordinatorStore& store, LeaseManager& leases, Planner& planner, FileSystem& files, Clock& clock,
         std::string version);

  absl::StatusOr<v1::QuantizationJob> Create(const v1::CreateQuantizationJobRequest& request);
  // Does not block.
  absl::StatusOr<v1::QuantizationJob> Get(const std::string& name) const;
  absl::StatusOr<v1::ListQuantizationJobsResponse> List(const v1::ListQuantizationJobsRequest& request) const;
  absl::StatusOr<v1::QuantizationJob> Cancel(const std::string& name);
  absl::Status Delete(const std::string& name);
  absl::StatusOr<v1::PlanQuantizationJobResponse> Plan(const v1::JobSpec& spec) const;
  absl::StatusOr<v1::ValidateCheckpointResponse> Validate(const v1::ValidateCheckpointRequest& request) const;
  v1::ServerInfo Info() const;

 private:
  CoordinatorStore& store_;
  LeaseManager& leases_;
  Planner& planner_;
  FileSystem& files_;
  Clock& clock_;
  const std::string version_;
};

// "quantizationJobs/{id}" <-> id. INVALID_SPEC names what is wrong.
absl::StatusOr<std::string> JobIdOf(const std::string& name);
std::string JobNameOf(const std::string& job_id);

}  // namespace heroq
