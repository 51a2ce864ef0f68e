#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
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

  // OUTPUT_IN_USE names the unfinished job that writes to the same directory; JOB_EXISTS for a used id, or
  // for a used request id with another spec.
  absl::StatusOr<v1::QuantizationJob> Create(const v1::CreateQuantizationJobRequest& request);
  // Does not block.
  absl::StatusOr<v1::QuantizationJob> Get(const std::string& name) const;
  absl::StatusOr<v1::ListQuantizationJobsResponse> List(const v1::ListQuantizationJobsRequest& request) const;
  // A job that has ended stays as it is.
  absl::StatusOr<v1::QuantizationJob> Cancel(const std::string& name);
  absl::Status Delete(const std::string& name);
  absl::StatusOr<v1::PlanQuantizationJobResponse> Plan(const v1::JobSpec& spec) const;
  absl::StatusOr<v1::ValidateCheckpointResponse> Validate(const v1::ValidateCheckpointRequest& request) const;
  v1::ServerInfo Info() const;

 private:
  v1::QuantizationJob Summary(const JobRecord& job) const;
  // The job an earlier request with this id created; nullptr when there is none.
  absl::StatusOr<std::shared_ptr<const JobRecord>> FindRepeated(
      const v1::CreateQuantizationJobRequest& request) const;
  absl::Status CheckOutputIsFree(const v1::JobSpec& spec) const;
  std::string ChooseJobId() const;

  CoordinatorStore& store_;
  LeaseManager& leases_;
  Planner& planner_;
  FileSystem& files_;
  Clock& clock_;
  const std::string version_;
  // Held over a whole Create, so that of two requests for one directory one wins.
  absl::Mutex create_mutex_;
};

}  // namespace heroq
