#include "coordinator/client/published_result.h"

#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/blob/directory_blob_store.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/location_argument.h"
#include "coordinator/client/run_directory.h"
#include "coordinator/planning/planner.h"
#include "coordinator/validation/manifest.h"

namespace heroq {
namespace {

absl::Status OutputExists(const std::string& output, absl::string_view why) {
  return MakeError(Reason::kOutputExists, absl::StrCat(output, " exists and ", why), {{"path", output}});
}

absl::StatusOr<std::string> DigestOf(FileSystem& files, v1::JobSpec spec) {
  HEROQ_ASSIGN_OR_RETURN(const std::string scratch, NewTemporaryDirectory());
  const absl::Cleanup remove = [&] { files.RemoveTree(scratch).IgnoreError(); };
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<DirectoryBlobStore> blobs,
                         DirectoryBlobStore::Open(files, scratch));
  // The planner refuses a directory that exists; paths do not count in the digest.
  spec.mutable_output()->mutable_location()->set_path(JoinPath(scratch, "output").substr(1));
  const Planner planner(files, *blobs, {{std::string(kLocalRoot), "/"}});
  HEROQ_ASSIGN_OR_RETURN(const v1::Plan plan, planner.MakePlan(spec));
  return plan.spec_digest();
}

}  // namespace

absl::Status CheckPublished(FileSystem& files, const std::string& output, const v1::JobSpec& spec) {
  const std::string path = JoinPath(output, kManifestName);
  if (!files.Exists(path)) return OutputExists(output, absl::StrCat("has no ", kManifestName));
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path));
  HEROQ_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(text, path));
  HEROQ_ASSIGN_OR_RETURN(const std::string digest, DigestOf(files, spec));
  if (manifest.spec_digest != digest) return OutputExists(output, "is the result of another job");
  for (const ManifestFile& file : manifest.files) {
    const absl::StatusOr<FileInfo> info = files.Stat(JoinPath(output, file.name));
    if (!info.ok() || info->size != file.size_bytes) {
      return OutputExists(output, absl::StrCat("is damaged: ", file.name, " is missing or has another size"));
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
