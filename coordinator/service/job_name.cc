#include "coordinator/service/job_name.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr absl::string_view kPrefix = "quantizationJobs/";
constexpr std::size_t kMaxIdBytes = 63;
constexpr const char* kIdCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";

}  // namespace

absl::StatusOr<std::string> JobIdOf(const std::string& name) {
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, kPrefix)) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("job name \"", name, "\"; expected ", kPrefix, "{id}"),
                     {{"field:name", "not of the form quantizationJobs/{id}"}});
  }
  std::string job_id(rest);
  HEROQ_RETURN_IF_ERROR(CheckJobId(job_id));
  return job_id;
}

std::string JobNameOf(const std::string& job_id) { return absl::StrCat(kPrefix, job_id); }

absl::Status CheckJobId(const std::string& job_id) {
  const bool valid = !job_id.empty() && job_id.size() <= kMaxIdBytes &&
                     job_id.find_first_not_of(kIdCharacters) == std::string::npos && job_id.front() != '-' &&
                     job_id.back() != '-';
  if (valid) return absl::OkStatus();
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("job id \"", job_id, "\"; expected 1 to ", kMaxIdBytes,
                                " lower-case letters, digits and hyphens, no hyphen at the ends"),
                   {{"field:quantization_job_id", "not a valid job id"}});
}

}  // namespace heroq
