#include "coordinator/service/job_page.h"

#include <algorithm>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;
constexpr absl::string_view kTokenPrefix = "after:";

absl::Status InvalidField(const std::string& field, const std::string& problem) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat(field, ": ", problem), {{"field:" + field, problem}});
}

std::string EncodeToken(const JobRecord& last) {
  return absl::WebSafeBase64Escape(absl::StrCat(kTokenPrefix, last.creation_sequence));
}

absl::StatusOr<int64_t> DecodeToken(const std::string& token) {
  if (token.empty()) return std::numeric_limits<int64_t>::max();
  std::string text;
  int64_t sequence = 0;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, kTokenPrefix) && absl::SimpleAtoi(rest, &sequence)) return sequence;
  }
  return InvalidField("page_token", "not a token of an earlier page");
}

bool Wanted(const JobRecord& job, const v1::ListQuantizationJobsRequest& request) {
  return request.states().empty() ||
         std::find(request.states().begin(), request.states().end(), job.state) != request.states().end();
}

}  // namespace

absl::StatusOr<JobPage> SelectJobs(const CoordinatorState& state,
                                   const v1::ListQuantizationJobsRequest& request) {
  if (request.page_size() < 0) return InvalidField("page_size", "is negative");
  const absl::StatusOr<int64_t> before = DecodeToken(request.page_token());
  if (!before.ok()) return before.status();
  JobPage page;
  for (const auto& [job_id, job] : state.jobs) {
    if (job->creation_sequence < *before && Wanted(*job, request)) page.jobs.push_back(job);
  }
  std::sort(page.jobs.begin(), page.jobs.end(),
            [](const auto& a, const auto& b) { return a->creation_sequence > b->creation_sequence; });
  const std::size_t size =
      request.page_size() == 0 ? kDefaultPageSize : std::min(request.page_size(), kMaxPageSize);
  if (page.jobs.size() > size) {
    page.jobs.resize(size);
    page.next_page_token = EncodeToken(*page.jobs.back());
  }
  return page;
}

}  // namespace heroq
