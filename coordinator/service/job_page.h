#pragma once

#include "absl/status/statusor.h"
#include "coordinator/state/job_record.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

struct JobPage {
  // Newest first.
  std::vector<std::shared_ptr<const JobRecord>> jobs;
  // Empty at the end.
  std::string next_page_token;
};

// The jobs of `state` a list request asks for. A token names the last job of its page, so jobs that are
// created or deleted between pages neither repeat nor hide others. INVALID_SPEC for a negative size or a
// token of another kind. Pure.
absl::StatusOr<JobPage> SelectJobs(const CoordinatorState& state,
                                   const v1::ListQuantizationJobsRequest& request);

}  // namespace heroq
