#include "coordinator/client/local_plan.h"

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/blob/blob_store.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/run_directory.h"

namespace heroq {
namespace {

// A plan names its blobs; here nobody will read them.
class NamingBlobStore final : public BlobStore {
 public:
  using BlobStore::Put;
  absl::StatusOr<Digest> Put(BlobPieces pieces, Durability durability) override {
    return DigestOf(pieces, durability);
  }
  absl::StatusOr<std::string> Get(const Digest& digest) override {
    return MakeError(Reason::kBlobMissing, absl::StrCat("blob ", digest.sha256, " was not kept"));
  }
  absl::StatusOr<bool> Contains(const Digest& /*digest*/) override { return false; }
};

}  // namespace

absl::StatusOr<InspectedJob> PlanLocally(FileSystem& files, v1::JobSpec spec) {
  HEROQ_ASSIGN_OR_RETURN(const std::string scratch, NewTemporaryDirectory());
  const absl::Cleanup remove = [&] { files.RemoveTree(scratch).IgnoreError(); };
  NamingBlobStore blobs;
  const bool without_output = !spec.has_evaluate_checkpoint() && !spec.output().has_location();
  if (without_output) {
    // Where the result goes changes nothing else in a plan.
    v1::Location& location = *spec.mutable_output()->mutable_location();
    location.set_root(std::string(kLocalRoot));
    location.set_path(JoinPath(scratch, "output").substr(1));
  }
  const Planner planner(files, blobs, {{std::string(kLocalRoot), "/"}});
  HEROQ_ASSIGN_OR_RETURN(InspectedJob job, planner.InspectWithTexts(spec));
  if (without_output) {
    job.plan.clear_output_directory();
    job.spec.mutable_output()->clear_location();
  }
  return job;
}

}  // namespace heroq
