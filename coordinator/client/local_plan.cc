#include "coordinator/client/local_plan.h"

#include <memory>

#include "absl/cleanup/cleanup.h"
#include "common/blob/directory_blob_store.h"
#include "common/status/status_macros.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/run_directory.h"

namespace heroq {

absl::StatusOr<InspectedJob> PlanLocally(FileSystem& files, v1::JobSpec spec) {
  HEROQ_ASSIGN_OR_RETURN(const std::string scratch, NewTemporaryDirectory());
  const absl::Cleanup remove = [&] { files.RemoveTree(scratch).IgnoreError(); };
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryBlobStore> blobs,
                         DirectoryBlobStore::Open(files, scratch));
  const bool without_output = !spec.has_evaluate_checkpoint() && !spec.output().has_location();
  if (without_output) {
    // Where the result goes changes nothing else in a plan.
    v1::Location& location = *spec.mutable_output()->mutable_location();
    location.set_root(std::string(kLocalRoot));
    location.set_path(JoinPath(scratch, "output").substr(1));
  }
  const Planner planner(files, *blobs, {{std::string(kLocalRoot), "/"}});
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, planner.InspectWithTexts(spec));
  if (without_output) {
    job.plan.clear_output_directory();
    job.spec.mutable_output()->clear_location();
  }
  return job;
}

}  // namespace heroq
