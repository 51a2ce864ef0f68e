#include "coordinator/client/published_result.h"

#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/local_plan.h"
#include "coordinator/planning/output_check.h"
#include "coordinator/validation/manifest.h"

namespace heroq {
namespace {

absl::Status OutputExists(const std::string& output, absl::string_view why) {
  return MakeError(Reason::kOutputExists, absl::StrCat(output, " exists and ", why), {{"path", output}});
}

}  // namespace

absl::Status CheckPublished(FileSystem& files, const std::string& output, const v1::JobSpec& spec) {
  const std::string path = JoinPath(output, kManifestName);
  if (!files.Exists(path)) return CheckOutput(files, output, "");
  HEROQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path));
  HEROQ_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(text, path));
  // The planner refuses a directory that exists; paths do not count in the digest.
  v1::JobSpec elsewhere = spec;
  elsewhere.mutable_output()->clear_location();
  HEROQ_ASSIGN_OR_RETURN(const InspectedJob job, PlanLocally(files, elsewhere));
  if (manifest.spec_digest != job.plan.spec_digest())
    return OutputExists(output, "is the result of another job");
  for (const ManifestFile& file : manifest.files) {
    const absl::StatusOr<FileInfo> info = files.Stat(JoinPath(output, file.name));
    if (!info.ok() || info->size != file.size_bytes) {
      return OutputExists(output, absl::StrCat("is damaged: ", file.name, " is missing or has another size"));
    }
  }
  return absl::OkStatus();
}

}  // namespace heroq
